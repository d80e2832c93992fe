"""A real Chromium on a live server, with a shop to look at."""

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect, sync_playwright

from analytics.scores import Name
from core import business
from core.models import Business, Role, User
from customers.models import Email
from customers.services import search
from tests import desk
from tests.ability import cannot_run
from tests.factories import make_business, make_customer, make_order, make_refund, make_unmatched_return

# Playwright's loop runs in the test's thread; the ORM is used before and after it, never inside.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
PHONE = {"width": 390, "height": 844}
# The windows that a page is opened in; each is then looked at in the other theme as well.
LOOKS = {
    "desk": {"color_scheme": "light"},
    "phone": {"viewport": PHONE, "has_touch": True, "color_scheme": "dark"},
}
# What a theme or a size can break on a page that is otherwise the same.
OF_LOOK = [
    *("color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable"),
    *("aria-hidden-focus", "label", "button-name", "link-name"),
]
# A machine that does other things besides may take its time; what never comes is still missed.
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)
PASSWORD = "correct horse battery"
AXE = Path(settings.NODE_MODULES) / "axe-core" / "axe.min.js"
# Two frames painted, nothing left to do, and a moment for what is done a little later; at most a second.
REST = """new Promise((done) => {setTimeout(done, 1000); requestAnimationFrame(() => requestAnimationFrame(
    () => requestIdleCallback(() => setTimeout(done, 50))))})"""
RUN_AXE = """axe.run({resultTypes: ["violations"], ...%s}).then((found) => JSON.stringify(
    found.violations.map(({id, nodes}) => [id, nodes.map(({target}) => target.join(" "))])))"""


@pytest.fixture(scope="session")
def browser(chromium):
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def manager(transactional_db):
    make_business(name="Juniper & Oak")
    return User.objects.create_user("manager@example.com", PASSWORD, role=Role.MANAGER, name="Mara Manager")


@pytest.fixture
def shop(manager):
    """Forty customers with scores, two years of days, one customer with every kind of entry; as of yesterday."""
    as_of = business.last_complete_day(business=Business(), at=timezone.now())
    people = [make_customer(name=f"Person Nº {number}", channel="search", country="Ireland") for number in range(40)]
    desk.make_days(as_of, 760)
    for number in range(20):
        order = make_order(customer=people[39], day=as_of - timedelta(days=9 * number), value_cents=2_000 + number)
        if number == 2:
            make_refund(order=order, value_cents=500)
    make_unmatched_return(customer=people[39], day=as_of)
    Email.objects.bulk_create(Email(customer=one, address=f"p{one.pk}@example.com") for one in people)
    search.refresh(customer_ids=[one.pk for one in people])
    rows = [
        desk.score(
            one, clv_cents=5_000 * (number + 1), churn_band=1 + number % 3, segment=1 + number % 10,
            churn_risk=(number % 10) / 10, segment_changed_on=as_of,
        )
        for number, one in enumerate(people)
    ]  # fmt: skip
    desk.make_night(*rows, as_of=as_of - timedelta(days=100), is_current=False)
    desk.make_night(*rows, as_of=as_of, moves={"1>1": 30, "1>2": 4, "9>10": 2, "0>4": 1})
    return people


@pytest.fixture
def open_page(browser, live_server, request):
    """Opens pages of a new browser window, the manager's session in it (test_desk.py passes the form)."""
    windows = []

    def opened(path="/", *, signed_in=True, **options):
        size = {"width": 1440, "height": 900}
        window = browser.new_context(
            **{"base_url": live_server.url, "viewport": size, "reduced_motion": "reduce"} | options
        )
        window.set_default_timeout(PATIENCE_MS)
        windows.append(window)
        if signed_in:
            window.add_cookies([{"url": live_server.url, "name": settings.SESSION_COOKIE_NAME, "value": new_session()}])
        page = window.new_page()
        page.runs_script = options.get("java_script_enabled", True)
        watch(page)
        go(page, path)
        return page

    yield opened
    for window in windows:
        window.close()


def new_session():
    """The key of a session of the manager's."""
    client = Client()
    client.force_login(User.objects.get(email="manager@example.com"))
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def watch(page):
    """Keep what goes wrong on a page in `problems`, and what it has asked for and not yet got in `awaited`."""
    page.problems, page.awaited, page.asked = [], set(), 0

    def ask(request):
        page.asked += 1
        page.awaited.add(request)

    def got(request):
        page.awaited.discard(request)

    page.on("console", lambda message: page.problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("request", ask)
    page.on("requestfinished", got)
    page.on("requestfailed", got)


def go(page, path):
    page.goto(path)
    settle(page)


def settle(page):
    """Wait until the page has painted, rested and asked for nothing since (networkidle waits 0.5 s more)."""
    for _ in range(200 * page.runs_script):
        asked = page.asked
        page.evaluate(REST)
        if page.asked == asked and not page.awaited:
            return
    page.wait_for_load_state("networkidle")


def sign_in(page, password=PASSWORD, *, email="manager@example.com"):
    page.goto("/accounts/login/")
    page.fill("[name=login]", email)
    page.fill("[name=password]", password)
    page.click(".form-actions button")


def violations(page, *, rules=None):
    """What axe finds, by all rules or some. It goes in by the debugger, so that the page's policy stays as it is."""
    if not AXE.exists():
        cannot_run("axe-core is not installed; run npm ci")
    debugger = page.context.new_cdp_session(page)
    if not page.evaluate("typeof axe === 'object'"):
        debugger.send("Runtime.evaluate", {"expression": AXE.read_text()})
    run = RUN_AXE % json.dumps({"runOnly": rules} if rules else {})
    answer = debugger.send("Runtime.evaluate", {"expression": run, "awaitPromise": True, "returnByValue": True})
    debugger.detach()
    return json.loads(answer["result"]["value"])


def troubles(page):
    """What is wrong with a page as it stands, and in the other theme, which may change colours and what is shown."""
    found = violations(page) + ["wider than the screen"] * is_too_wide(page)
    opened = page.get_attribute("html", "data-bs-theme")
    other = {"light": "dark", "dark": "light"}[opened]
    switch(page, other)
    found += [(other, one) for one in violations(page, rules=OF_LOOK)]
    switch(page, opened)
    return found + page.problems


def switch(page, theme):
    """Change the theme as the person's device would, and wait until the page rests in it."""
    page.emulate_media(color_scheme=theme)
    page.wait_for_selector(f"html[data-bs-theme={theme}]")
    settle(page)


def is_too_wide(page):
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


@pytest.fixture
def segment_names():
    return [name.label for name in Name if name.slug]
