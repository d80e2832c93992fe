"""Take the README's pictures, and one of every page in light, dark and phone, from a running demo shop.

    .venv/bin/python tools/pictures.py http://127.0.0.1:8000 /tmp/pictures

Names them PAGE-light.png, PAGE-dark.png and PAGE-phone.png. Needs Chromium on the PATH.
"""

import argparse
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

FORMS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "device_scale_factor": 2},
}
PAGES = {"today": "/", "customers": "/customers/", "segments": "/segments/", "jobs": "/jobs/"}


def take(browser: Browser, *, form: str, base: str, out: Path, email: str, password: str, full: bool) -> None:
    context = browser.new_context(**FORMS[form], reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{base}/accounts/login/")
    page.screenshot(path=out / f"sign-in-{form}.png")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(f"{base}/")
    for name, path in (PAGES | {"customer": first_customer(page, base)}).items():
        page.goto(base + path)
        page.wait_for_load_state("networkidle")
        if full:
            page.keyboard.press("End")
            page.wait_for_timeout(800)
            page.keyboard.press("Home")
        page.wait_for_timeout(700)
        page.screenshot(path=out / f"{name}-{form}.png", full_page=full)
    context.close()


def first_customer(page: Page, base: str) -> str:
    page.goto(f"{base}/customers/")
    address = page.locator("tbody a").first.get_attribute("href")
    if not address:
        raise SystemExit("The list of customers is empty: fill the home with the demo shop first.")
    return address


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base")
    parser.add_argument("out", type=Path)
    parser.add_argument("--email", default="admin@example.com")
    parser.add_argument("--password", required=True)
    parser.add_argument("--full", action="store_true", help="the whole page, not only the first screen")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-background-networking"]
        )
        for form in FORMS:
            take(
                browser,
                form=form,
                base=options.base.rstrip("/"),
                out=options.out,
                email=options.email,
                password=options.password,
                full=options.full,
            )


if __name__ == "__main__":
    main()
