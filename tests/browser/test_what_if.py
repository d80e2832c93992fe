"""Levers in the browser: by slider, by number and without script; kept, compared, deleted and brought back."""

import pytest
from playwright.sync_api import expect

from analytics.services import scenarios
from tests.analytics.test_scenarios import AT, make_scenario
from tests.analytics.test_what_if_page import make_night, make_scored
from tests.browser.conftest import go, is_too_wide, violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def night(manager):
    return make_night(*(make_scored(order_days=1 + n, age=100 + 40 * n, last=10 * n) for n in range(8)))


def test_a_lever_moves_the_result_and_the_address(open_page, night):
    page = open_page("/what-if/")
    expect(page.locator(".what-if-said")).to_contain_text("Nothing is moved yet")

    page.locator("[name=leaving]").fill("-20")

    expect(page.locator(".what-if-said")).to_contain_text("If 20% fewer customers leave")
    assert "leaving=-20" in page.url
    slider = page.get_by_role("slider", name="Customers who leave")
    expect(slider).to_have_value("-20")
    slider.press("ArrowRight")
    expect(page.locator(".what-if-said")).to_contain_text("If 19% fewer customers leave")
    page.reload()
    expect(page.locator(".what-if-said")).to_contain_text("If 19% fewer customers leave")
    assert page.problems == []


def test_a_lever_beyond_its_range_is_told(open_page, night):
    page = open_page("/what-if/")

    page.locator("[name=order_value]").fill("999")

    expect(page.get_by_role("alert")).to_contain_text("Order value: write a change from -75 to 300")
    page.locator("[name=order_value]").fill("10")
    expect(page.locator(".what-if-said")).to_contain_text("an order is worth 10% more")


def test_from_saving_to_undo(open_page, night):
    page = open_page("/what-if/?leaving=-20")
    page.get_by_role("button", name="Save as a scenario").click()
    page.get_by_label("Name").fill("Keep them")
    page.get_by_role("button", name="Save").click()
    page.get_by_label("Compare Keep them").check()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="Compare scenarios")).to_be_visible()
    expect(page.get_by_role("cell", name="$1,600").first).to_be_visible()
    page.get_by_label("Breadcrumb").get_by_role("link", name="Scenarios").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("“Keep them” is deleted.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="Keep them", exact=True)).to_be_visible()
    assert page.problems == []


def test_without_script(open_page, night):
    page = open_page("/what-if/", java_script_enabled=False)
    page.locator("[name=leaving]").fill("-20")
    page.get_by_role("button", name="Show").click()

    expect(page.locator(".what-if-said")).to_contain_text("If 20% fewer customers leave")
    assert "leaving=-20" in page.url


def test_on_a_phone(open_page, night):
    page = open_page("/what-if/?leaving=-20&margin_rate=300", viewport=PHONE)

    assert not is_too_wide(page)
    assert violations(page) == []


def test_pages_of_scenarios_have_no_barrier(open_page, night):
    kept = [make_scenario(name, leaving=-10) for name in ("One", "Two")]
    gone = make_scenario("Gone")
    scenarios.delete(scenario_id=gone.pk, at=AT)
    compared = "&".join(f"s={one.pk}" for one in kept)
    page = open_page()

    for path in ("", "add/", f"{kept[0].pk}/", f"{gone.pk}/", f"compare/?{compared}", "compare/"):
        go(page, f"/what-if/scenarios/{path}")
        assert violations(page) == [], path
        assert not is_too_wide(page), path
    assert page.problems == []
