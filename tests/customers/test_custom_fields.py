"""Fields that a business adds: their settings page, and what counts as a value."""

from decimal import Decimal

import pytest

from customers.models import CustomField
from customers.services import custom
from tests.factories import make_customer
from tests.forms import inputs, send

pytestmark = pytest.mark.django_db
LIST = "/settings/fields/"


def make_field(kind="text", **fields):
    return CustomField.objects.create(**{"key": "one", "label": "One", "kind": kind} | fields)


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("text", "  two   words ", "two words"),
        ("text", "", None),
        ("text", None, None),
        ("number", "1,50", "1.5"),
        ("number", 1200, "1200"),
        ("number", Decimal("-0.10"), "-0.1"),
        ("date", "2026-02-28", "2026-02-28"),
        ("yes_no", "Ja", True),
        ("yes_no", "no", False),
        ("yes_no", False, False),
        ("choice", "GREEN", "green"),
    ],
)
def test_a_value_is_stored_by_its_kind(kind, value, stored):
    assert custom.clean(make_field(kind, choices=["green"]), value) == stored


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("text", "x" * 501, "At most 500 characters"),
        ("number", "many", "Write a number"),
        ("number", "NaN", "Write a number"),
        ("number", True, "Write a number"),
        ("number", "1e30", "Write a number"),
        ("date", "28.2.2026", "Write a date"),
        ("date", "2026-02-30", "Write a date"),
        ("yes_no", "perhaps", "Write yes or no"),
        ("choice", "blue", "Choose one of: green"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(kind, value, words):
    with pytest.raises(custom.BadValue, match=words):
        custom.clean(make_field(kind, choices=["green"]), value)


def test_programs_name_known_keys():
    known = [make_field("yes_no", key="vip")]
    assert custom.clean_all({"vip": "yes"}, known=known) == {"vip": True}
    with pytest.raises(KeyError, match="shoe"):
        custom.clean_all({"shoe": "38"}, known=known)


def test_an_admin_adds_corrects_and_archives(admin):
    send(admin, f"{LIST}add/", label="Lieblings-Tee", kind="choice", choices="green\nblack\n\ngreen")
    field = CustomField.objects.get()
    assert (field.key, field.choices) == ("lieblings_tee", ["green", "black"])
    send(admin, f"{LIST}add/", label="Lieblings Tee", kind="text")
    assert CustomField.objects.filter(key="lieblings_tee_2").exists()
    make_customer(custom={"lieblings_tee": "green"})
    response = send(admin, f"{LIST}{field.pk}/", choices="black")
    assert "Customers have the choice “green”: it has to stay." in response.content.decode()
    send(admin, f"{LIST}{field.pk}/", choices="green\nwhite", label="Tea")
    field.refresh_from_db()
    assert (field.label, field.choices, field.kind) == ("Tea", ["green", "white"], "choice")
    admin.post(f"{LIST}{field.pk}/archive/")
    assert [one.label for one in custom.fields()] == ["Lieblings Tee"]
    admin.post(f"{LIST}{field.pk}/archive/")
    assert len(custom.fields()) == 2
    assert "Tea" in admin.get(LIST).content.decode()


def test_a_choice_needs_choices(admin):
    response = send(admin, f"{LIST}add/", label="Tea", kind="choice")
    assert "Write at least one choice." in response.content.decode()
    assert inputs(response)["label"] == ["Tea"]


def test_the_customers_page_shows_them_in_words(admin):
    make_field("yes_no", key="vip", label="VIP")
    make_field("date", key="born", label="Birthday")
    customer = make_customer(custom={"vip": True, "born": "1990-05-01", "gone": "x"})
    page = " ".join(admin.get(f"/customers/{customer.pk}/").content.decode().split())
    assert "<dt>VIP</dt> <dd> yes </dd>" in page
    assert "<dt>Birthday</dt> <dd> 1 May 1990 </dd>" in page


def test_a_manager_gets_403(manager):
    assert manager.get(LIST).status_code == 403
    assert manager.post(f"{LIST}add/", {"label": "x"}).status_code == 403
