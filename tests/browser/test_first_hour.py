"""The owner's first hour: from the link in the terminal to a colleague who signs in."""

import pytest

from core import first_run
from core.models import Business, Role, User
from tests.browser.conftest import PASSWORD, go, violations


@pytest.fixture
def link(transactional_db, settings, tmp_path):
    settings.PERENNIAL_HOME = tmp_path
    return f"/welcome/{first_run.token()}/"


def test_from_an_empty_home_to_a_colleague(open_page, link):
    page = open_page(link, signed_in=False, timezone_id="Europe/Berlin")
    assert page.input_value("[name=time_zone]") == "Europe/Berlin", "the browser's zone is suggested"
    assert violations(page) == []
    page.fill("[name=you-name]", "Ada Admin")
    page.fill("[name=you-email]", "ada@shop.test")
    page.fill("[name=you-password]", PASSWORD)
    page.fill("[name=name]", "Juniper & Oak")
    page.select_option("[name=currency]", "EUR")
    page.click(".form-actions button")
    page.wait_for_url("**/")
    assert page.is_visible("text=First steps")
    row = Business.objects.get()
    assert (row.name, row.time_zone, row.currency) == ("Juniper & Oak", "Europe/Berlin", "EUR")

    go(page, "/settings/staff/")
    page.fill("[name=email]", "eve@shop.test")
    page.select_option("[name=role]", "manager")
    page.click("#invite button[type=submit]")
    page.wait_for_url("**/settings/staff/*/")
    invitation = page.input_value("#invitation-link")
    assert violations(page) == []
    assert page.problems == []

    theirs = open_page(invitation, signed_in=False)
    theirs.fill("[name=password1]", PASSWORD)
    theirs.fill("[name=password2]", PASSWORD)
    theirs.click(".form-actions button")
    theirs.wait_for_url("**/")
    assert theirs.is_visible("h1:has-text('Today')")
    assert theirs.problems == []
    assert User.objects.get(email="eve@shop.test").role == Role.MANAGER

    again = open_page(invitation, signed_in=False)
    assert again.is_visible("text=does not work any more")
    stranger = open_page(link, signed_in=False)
    assert "Welcome to Perennial" not in stranger.content()
