"""The page Value in a browser: choices change a part of it, and everything works without a script too."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests import desk
from tests.browser.conftest import is_too_wide, violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def valued(shop):
    """The shop with nights that told 36 months and lifetimes."""
    rows = [
        desk.score(
            one, clv_cents=5_000, clv_36m_cents=9_000, clv_lifetime_cents=15_000, segment=1 + number % 10,
            clv_low_cents=1_000, clv_high_cents=9_000,
        )
        for number, one in enumerate(shop)
    ]  # fmt: skip
    as_of = desk.AS_OF
    desk.make_night(*rows[10:], as_of=as_of - timedelta(days=30), is_current=False)
    desk.make_night(*rows, as_of=as_of)
    return shop


def test_choices_change_the_part_and_the_address(open_page, valued):
    page = open_page("/value/")
    expect(page.locator("#drivers")).to_contain_text("The lifetime value rose by $1,500")
    page.evaluate("window.stays = true")
    page.click("#pick-36m")
    expect(page.locator("#pick-36m")).to_be_focused()
    expect(page.locator("#drivers")).to_contain_text("The value of the next 36 months rose by $900")
    page.click("#pick-tenure")
    expect(page.locator("#segments .pick [aria-current]")).to_have_text("Tenure")
    expect(page).to_have_url(re.compile(r"horizon=36m&scheme=tenure|scheme=tenure&horizon=36m"))
    assert page.evaluate("window.stays")
    assert page.locator("#value").count() == 1
    page.go_back()
    expect(page.locator("#segments .pick [aria-current]")).to_have_text("Recency and frequency")
    assert page.problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_for_axe_to_find(open_page, valued, scheme):
    page = open_page("/value/", color_scheme=scheme)
    assert violations(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert violations(page) == []
    assert not is_too_wide(page)


def test_days_by_hand(open_page, valued):
    page = open_page("/value/")
    page.fill("[name=since]", "2026-03-31")
    page.fill("[name=until]", "2026-03-01")
    page.click(".value-days button")
    expect(page.locator("#value-errors")).to_contain_text("Choose a day after the first one.")
    assert page.problems == []


def test_without_a_script(open_page, valued):
    page = open_page("/value/")
    bare = page.context.browser.new_context(
        base_url=page.url.rsplit("/value/")[0], java_script_enabled=False, storage_state=page.context.storage_state()
    ).new_page()
    bare.goto("/value/")
    bare.click("#pick-12m")
    expect(bare.locator("#drivers")).to_contain_text("The value of the next 12 months rose by $500")
    bare.context.close()


def test_a_customer_s_course_is_loaded_after_her_page(open_page, valued):
    page = open_page(f"/customers/{valued[20].pk}/")
    expect(page.locator("#value-course .plot")).to_have_count(2)
    page.click("#value-course summary")
    expect(page.locator("#value-course")).to_contain_text("$10 – $90")
    assert page.problems == []
