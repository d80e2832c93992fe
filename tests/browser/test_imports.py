"""A file through the browser: chosen, mapped, tried out, imported, taken back."""

import re

import pytest
from playwright.sync_api import expect

from core import engine
from customers.models import Customer, ImportBatch, Order, Upload
from customers.services import browser_imports
from tests.browser.conftest import LOOKS, go, troubles

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

GERMAN = (
    "Bestellnr;Kundennr;Kundenname;Bestelldatum;Nettobetrag\n"
    "B1;K1;Ann Lee;01/02/2024;12,50\n"
    "B2;K2;Bob Ray;03/04/2024;7,50\n"
    "B3;K2;Bob Ray;31.02.2024;9,00\n"
)


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.PERENNIAL_HOME = tmp_path / "home"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "bestellungen.csv"
    path.write_text(GERMAN)
    return path


def work_off():
    """What a worker does when the bell rings."""
    assert engine.work_off(steps=browser_imports.STEPS, seconds=60) == 1


def upload(page, file):
    go(page, "/imports/new/")
    page.set_input_files("input[type=file]", file)
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**/mapping/")


def try_out(page):
    page.get_by_label("Order of day and month").select_option("day")
    page.get_by_role("button", name="Try it out").click()
    expect(page.get_by_role("heading", name="Trying it out")).to_be_visible()
    work_off()
    expect(page.get_by_role("heading", name="What the import would do")).to_be_visible()


def test_the_whole_way(open_page, manager, file):
    page = open_page("/imports/")
    page.get_by_role("link", name="Import a file").click()
    page.set_input_files("input[type=file]", file)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name="What is in the columns?")).to_be_visible()
    expect(page.get_by_label("Nettobetrag")).to_have_value("amount")
    expect(page.locator("main")).to_contain_text("can be read in two ways here")
    try_out(page)
    assert not Order.objects.exists()
    expect(page.locator("main")).to_contain_text("line 4, date: “31.02.2024” is not a date")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    assert "31.02.2024" in download.value.path().read_text()
    page.locator(".page-actions").get_by_role("button", name="Import").click()
    expect(page.get_by_role("heading", name="Importing")).to_be_visible()
    work_off()
    page.wait_for_url(re.compile(r"/imports/batches/\d+/$"))
    assert (Order.objects.count(), Customer.objects.count()) == (2, 2)
    page.get_by_role("link", name="Take it back").click()
    expect(page.locator("main")).to_contain_text("Take this import back?")
    page.get_by_role("button", name="Take it back").click()
    work_off()
    expect(page.locator("main")).to_contain_text("It was taken back")
    assert (Order.objects.count(), ImportBatch.objects.get().state) == (0, "undone")
    assert page.problems == []


def test_an_unusable_file_is_said_in_the_form(open_page, manager, tmp_path):
    picture = tmp_path / "logo.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
    page = open_page("/imports/new/")
    page.set_input_files("input[type=file]", picture)
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("[data-error]")).to_contain_text("logo.csv is not a text file. Expected CSV, CSV.gz or XLSX.")
    assert not Upload.objects.exists()


def test_a_file_that_is_too_large_is_not_sent(open_page, manager, file):
    page = open_page("/imports/new/")
    page.locator("input[type=file]").evaluate("(field) => (field.dataset.mostBytes = 10)")
    sent = []
    page.on("request", lambda request: sent.append(request.method))
    page.set_input_files("input[type=file]", file)
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("[data-error]")).to_contain_text("The file is larger than 1 GB.")
    assert "POST" not in sent


def test_stop(open_page, manager, file):
    page = open_page()
    upload(page, file)
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("main")).to_contain_text("It was stopped. Nothing of it stays")


def test_without_script(open_page, manager, file):
    page = open_page("/imports/new/", java_script_enabled=False)
    page.set_input_files("input[type=file]", file)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name="What is in the columns?")).to_be_visible()
    page.get_by_role("button", name="Try it out").click()
    work_off()
    page.reload()
    expect(page.get_by_role("heading", name="What the import would do")).to_be_visible()


def test_each_page_of_the_way_on_a_phone(open_page, manager, file):
    """No barrier, nothing that the content policy blocks, nothing too wide (on a desk: test_pages.py)."""
    page = open_page("/imports/", **LOOKS["phone"])

    def check(name):
        assert troubles(page) == [], name

    check("empty list")
    go(page, "/imports/new/")
    check("new")
    upload(page, file)
    check("mapping")
    page.get_by_role("button", name="Try it out").click()
    check("at work")
    page.get_by_role("button", name="Stop").click()
    check("stopped")
    page.get_by_role("link", name="Change the columns").click()
    try_out(page)
    check("tried out")
    page.locator(".page-actions").get_by_role("button", name="Import").click()
    work_off()
    page.wait_for_url("**/batches/*/")
    check("imported")
    page.get_by_role("link", name="Take it back").click()
    check("undo")
    go(page, "/imports/")
    check("list")
