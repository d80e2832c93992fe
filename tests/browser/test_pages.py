"""Every page that links lead to, in light, dark and on a phone: nothing for axe to find, no error, nothing too wide."""

import pytest
from django.test import Client

from tests import pages
from tests.browser.conftest import OF_LOOK, PHONE, go, is_too_wide, settle, sign_in, switch, violations
from tests.customers.test_import_pages import home  # noqa: F401 - uploads go to a folder of the test's own
from tests.showcase import PASSWORD, make_showcase

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDE = {"width": 1440, "height": 900}
# What another theme can break; the rest of a page is the same.
OF_THEME = ["color-contrast", "link-in-text-block"]


@pytest.fixture
def addresses(transactional_db):
    client = Client()
    make_showcase(client)
    return pages.crawl(client)


def test_every_page(addresses, open_page):
    page = open_page("/accounts/login/", signed_in=False)
    sign_in(page, PASSWORD, email="admin@example.com")
    page.wait_for_url("**/")
    troubles = {name: trouble for name, path in addresses.items() if (trouble := looks(page, path))}
    assert troubles == {}


def looks(page, path):
    """What is wrong with a page. It is loaded once: theme and size are then changed as a person would."""
    page.problems.clear()
    page.set_viewport_size(WIDE)
    go(page, path)
    found = [("light", one) for one in violations(page)]
    switch(page, "dark")
    found += [("dark", one) for one in violations(page, rules=OF_THEME)]
    switch(page, "light")
    page.set_viewport_size(PHONE)
    settle(page)
    found += [("phone", one) for one in violations(page, rules=OF_LOOK)]
    found += [("phone", "wider than the screen")] * is_too_wide(page)
    return found + [("console", one) for one in page.problems]
