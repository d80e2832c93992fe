"""A real Chromium on a live server, with a shop to look at."""

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import sync_playwright

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
PASSWORD = "correct horse battery"
AXE = Path(settings.NODE_MODULES) / "axe-core" / "axe.min.js"
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
    for back in range(760):
        desk.make_day(as_of - timedelta(days=back), value_cents=90_000 + 100 * (back % 60))
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
    """Opens pages of a new browser window; `signed_in` first passes the sign-in form."""
    windows = []

    def opened(path="/", *, signed_in=True, **options):
        size = {"width": 1440, "height": 900}
        window = browser.new_context(
            **{"base_url": live_server.url, "viewport": size, "reduced_motion": "reduce"} | options
        )
        windows.append(window)
        page = window.new_page()
        page.problems = []
        page.on("console", lambda message: page.problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        if signed_in:
            sign_in(page)
        go(page, path)
        return page

    yield opened
    for window in windows:
        window.close()


def go(page, path):
    page.goto(path)
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


def is_too_wide(page):
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


@pytest.fixture
def segment_names():
    return [name.label for name in Name if name.slug]
