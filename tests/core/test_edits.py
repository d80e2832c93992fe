"""What people and programs change is kept, and nobody changes what is kept."""

import pghistory
import pytest
from django.db import DatabaseError, connection, transaction

from core.models import Business, Edit, Role, User
from customers.models import Customer, Email
from tests.factories import make_business, make_customer

pytestmark = pytest.mark.django_db


def told(edit):
    return edit.action, edit.table, edit.changes


def test_an_edit_says_who_what_and_from_which_page():
    mara = User.objects.create_user("mara@example.com", "a long password", role=Role.AGENT)
    customer = make_customer(name="Ada", city="Bonn")
    with pghistory.context(user=mara.pk, url="/customers/1/edit/"), transaction.atomic():
        Customer.objects.filter(pk=customer.pk).update(name="Ada L.", city="Bonn", country="DE")
        Email.objects.create(customer=customer, address="ada@example.com")
    renamed, added = Edit.objects.order_by("pk")
    assert told(renamed) == ("update", "customers_customer", {"name": ["Ada", "Ada L."], "country": ["", "DE"]})
    assert told(added) == ("insert", "customers_email", {"address": [None, "ada@example.com"]})
    assert (renamed.user, renamed.url, renamed.program) == (mara, "/customers/1/edit/", "")
    assert {(edit.about, edit.about_id) for edit in (renamed, added)} == {("customers_customer", customer.pk)}
    assert renamed.request == added.request


def test_a_program_is_named():
    with pghistory.context(user=None, program="Webshop"):
        customer = make_customer()
    assert {(edit.user_id, edit.program) for edit in Edit.objects.filter(about_id=customer.pk)} == {(None, "Webshop")}


def test_nobody_acting_leaves_no_trace():
    customer = make_customer()
    Customer.objects.filter(pk=customer.pk).update(name="Other")
    assert not Edit.objects.exists()


def test_what_is_not_told_of_or_stays_the_same_leaves_no_trace():
    customer = make_customer(name="Ada")
    with pghistory.context(user=1):
        Customer.objects.filter(pk=customer.pk).update(name="Ada", search="ada")
    assert not Edit.objects.exists()


def test_settings_and_roles_are_kept():
    make_business(name="Shop")
    mara = User.objects.create_user("mara@example.com", "a long password", role=Role.AGENT)
    with pghistory.context(user=mara.pk):
        Business.objects.update(name="Corner shop")
        User.objects.filter(pk=mara.pk).update(role=Role.ADMIN, password="-")
    assert [edit.changes for edit in Edit.objects.order_by("pk")] == [
        {"name": ["Shop", "Corner shop"]},
        {"role": ["agent", "admin"]},
    ]


@pytest.mark.parametrize(
    "statement",
    ["UPDATE core_edit SET changes = '{}'", "DELETE FROM core_edit", "TRUNCATE core_edit"],
)
def test_edits_stand(statement):
    with pghistory.context(user=1):
        make_customer()
    before = list(Edit.objects.order_by("pk").values())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_edit ENABLE TRIGGER edits_are_not_emptied")  # off in tests: tests/conftest.py
        with pytest.raises(DatabaseError, match="Edits are never changed or removed"), transaction.atomic():
            cursor.execute(statement)
        cursor.execute("ALTER TABLE core_edit DISABLE TRIGGER edits_are_not_emptied")
    assert list(Edit.objects.order_by("pk").values()) == before


def test_erasing_takes_the_values_and_leaves_who_and_when():
    with pghistory.context(user=1):
        ada, bob = make_customer(name="Ada"), make_customer(name="Bob")
        Email.objects.create(customer=ada, address="ada@example.com")
    with connection.cursor() as cursor:
        cursor.execute("SELECT perennial_erase_edits('customers_customer', %s)", [ada.pk])
        assert cursor.fetchone() == (3,)
        with pytest.raises(DatabaseError), transaction.atomic():
            cursor.execute("UPDATE core_edit SET changes = '{}'")
    assert "ada" not in str(list(Edit.objects.filter(about_id=ada.pk).values())).lower().replace("customers_", "")
    assert all(value is None for edit in Edit.objects.filter(about_id=ada.pk) for value in edit.changes.values())
    assert Edit.objects.get(about_id=bob.pk, table="customers_customer").changes["name"] == [None, "Bob"]
