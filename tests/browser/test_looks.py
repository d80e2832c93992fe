"""Pages in states that links do not lead to: no barrier, nothing that the policy blocks, nothing too wide.

Every page that they do lead to is looked at in test_pages.py.
"""

import pytest
from django.utils import timezone

from core.models import Run
from tests.browser.conftest import LOOKS, go, troubles, violations
from tests.desk import AS_OF

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def paths(shop):
    run = Run.objects.create(as_of=AS_OF, state="failed", error="The step failed.", started_at=timezone.now())
    return [
        "/customers/?risk=high&segment=new&q=person",
        "/customers/?q=nobody",
        f"/customers/{shop[39].pk}/",
        f"/customers/{shop[0].pk}/?months=24",
        f"/jobs/nights/{run.pk}/",
    ]


@pytest.mark.parametrize("look", LOOKS)
def test_pages(open_page, paths, look):
    page = open_page(**LOOKS[look])
    for path in paths:
        go(page, path)
        assert troubles(page) == [], path


@pytest.mark.parametrize("look", LOOKS)
def test_pages_of_guests(open_page, manager, look):
    page = open_page("/accounts/login/", signed_in=False, **LOOKS[look])
    for path in ("/accounts/login/", "/accounts/password/reset/", "/accounts/password/reset/done/"):
        go(page, path)
        assert troubles(page) == [], path


def test_an_empty_shop(open_page, manager):
    page = open_page()
    for path in ("/", "/customers/", "/segments/", "/jobs/"):
        go(page, path)
        assert violations(page) == [], path
        assert page.problems == [], path


def test_what_opens_over_a_page(open_page, shop):
    page = open_page()
    page.click("details.menu summary")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.click(".help >> nth=0")
    page.wait_for_selector(".about:popover-open")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.wait_for_selector("#palette-hits a.hit")
    assert violations(page) == []


def test_the_policy_is_the_strict_one(open_page, shop):
    page = open_page()
    answer = page.goto("/")
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


def test_a_blocked_script_would_be_seen(open_page, shop):
    """The control: what the pages are checked for is noticed when it happens."""
    page = open_page()
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {textContent: '1'}))")
    assert any("Content Security Policy" in problem for problem in page.problems)
