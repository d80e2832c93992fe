"""Columns of a customer file that hold fields of the business's own."""

import pytest
from django.core.management import CommandError, call_command
from django.utils.translation import override

from core.retelling import retold
from customers.models import Customer, CustomField, ImportBatch, Upload
from customers.services import undo
from tests.customers import ledger
from tests.customers.test_import_customers import run
from tests.customers.test_import_pages import home, imported, manager, page_of, suggested, tried_out, uploaded

__all__ = ["home", "manager"]
pytestmark = pytest.mark.django_db
HEAD = "customer_id,name,Shoe,Born,Club,Size,Remark"
MAP = [
    *("custom.shoe_size=Shoe", "custom.birthday=Born"),
    *("custom.vip=Club", "custom.shirt=Size", "custom.note=Remark"),
]


@pytest.fixture(autouse=True)
def own(db):
    kinds = {"shoe_size": "number", "birthday": "date", "vip": "yes_no", "note": "text"}
    for key, kind in kinds.items():
        CustomField.objects.create(key=key, label=key.replace("_", " ").capitalize(), kind=kind)
    CustomField.objects.create(key="shirt", label="Shirt", kind="choice", choices=["S", "M", "L, wide"])


def customs():
    return dict(Customer.objects.values_list("name", "custom"))


def test_it_works(tmp_path):
    out, _ = run(tmp_path, HEAD, 'a,Ann,42.50,1990-03-31,Yes,"l, wide",likes  tea', "b,Bob,,,no,,", map=MAP)
    assert "customers 2 created" in out
    assert customs() == {
        "Ann": {"shoe_size": "42.5", "birthday": "1990-03-31", "vip": True, "shirt": "L, wide", "note": "likes tea"},
        "Bob": {"vip": False},
    }


def test_dates_and_numbers_are_read_as_the_file_writes_them(tmp_path):
    run(tmp_path, HEAD, 'a,Ann,"1.042,5",31.12.1990,,,', 'b,Bob,"7,25",1.2.1991,,,', map=MAP)
    assert customs() == {
        "Ann": {"shoe_size": "1042.5", "birthday": "1990-12-31"},
        "Bob": {"shoe_size": "7.25", "birthday": "1991-02-01"},
    }


def test_the_same_file_again_changes_nothing(tmp_path):
    lines = (HEAD, "a,Ann,42,1990-03-31,yes,S,x", "b,Bob,43,,,,")
    run(tmp_path, *lines, map=MAP)
    before = (customs(), ledger.facts())
    out, _ = run(tmp_path, *lines, map=MAP)
    assert "customers 0 created, 0 updated, 2 unchanged" in out
    assert (customs(), ledger.facts()) == before


def test_what_is_empty_stays_and_the_last_row_wins(tmp_path):
    run(tmp_path, HEAD, "a,Ann,42,,yes,,", map=MAP)
    out, _ = run(tmp_path, HEAD, "a,,43,,,,first", "a,,44,,,,", map=MAP)
    assert "0 created, 1 updated" in out
    assert customs() == {"Ann": {"shoe_size": "44", "vip": True, "note": "first"}}


def test_undo_takes_it_back(tmp_path):
    run(tmp_path, HEAD, "a,Ann,42,,yes,,", map=MAP)
    before = (customs(), ledger.facts())
    run(tmp_path, HEAD, "a,Anna,43,1990-03-31,no,S,x", "b,Bob,40,,,,", map=MAP)
    assert customs()["Anna"]["shoe_size"] == "43"
    undo.undo(batch_id=ImportBatch.objects.latest("pk").pk)
    assert (customs(), ledger.facts()) == before


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a,Ann,large,,,,", "line 2, custom.shoe_size: “large” is not a number; expected one such as 1234.56"),
        ("a,Ann,,30.2.1990,,,", "line 2, custom.birthday: “30.2.1990” is not a date; expected YYYY-MM-DD"),
        ("a,Ann,,,perhaps,,", "line 2, custom.vip: “perhaps” is neither yes nor no; expected one of the two"),
        ("a,Ann,,,,XXL,", "line 2, custom.shirt: “XXL” is not a choice; expected one of “S”, “M”, “L, wide”"),
        (f"a,Ann,,,,,{'x' * 501}", "is too long; expected at most 500 characters"),
    ],
)
def test_a_row_with_a_value_that_does_not_fit_is_rejected(tmp_path, line, reason):
    out, errors = run(tmp_path, HEAD, line, "b,Bob,,,,,", map=MAP)
    assert reason in errors
    assert "2 read, 1 imported, 1 rejected" in out
    assert customs() == {"Bob": {}}


def test_the_reason_is_told_in_the_readers_language():
    with override("de"):
        assert (
            retold("is not a choice; expected one of “S”, “M”")
            == "steht nicht zur Wahl; erwartet wird eines von “S”, “M”"
        )


def test_a_column_of_the_fields_own_name_needs_no_mapping(tmp_path):
    run(tmp_path, "customer_id,name,custom.vip", "a,Ann,yes")
    assert customs() == {"Ann": {"vip": True}}


def test_exports_of_shops_can_have_them_too(tmp_path):
    run(tmp_path, "First Name,Email,Note", "Ann,ann@example.com,tall", preset="shopify", map=["custom.note=Note"])
    assert customs() == {"Ann": {"note": "tall"}}


def test_a_field_out_of_use_and_orders_have_no_such_columns(tmp_path):
    CustomField.objects.update(archived_at="2026-01-01T00:00Z")
    with pytest.raises(CommandError, match=r"no field “custom\.vip” to map"):
        run(tmp_path, HEAD, "a,Ann,,,yes,,", map=["custom.vip=Club"])
    CustomField.objects.update(archived_at=None)
    with pytest.raises(CommandError, match=r"no field “custom\.vip” to map"):
        call_command("import_orders", str(tmp_path / "people.csv"), map=["custom.vip=Club"])


class TestBrowser:
    PEOPLE = "Kundennr;Name;SHOE-SIZE;Shirt;Shirt colour\n7;Ann;42,5;m;red\n"

    def columns(self, client, upload):
        return [suggested(client, upload)[f"column_{number}"] for number in range(5)]

    def test_a_label_or_a_key_is_suggested_and_imported(self, manager):
        upload = uploaded(manager, self.PEOPLE, kind="customers")
        assert self.columns(manager, upload) == ["customer_id", "name", "custom.shoe_size", "custom.shirt", ""]
        imported(manager, self.PEOPLE, kind="customers")
        assert customs() == {"Ann": {"shoe_size": "42.5", "shirt": "M"}}

    def test_another_column_can_be_chosen(self, manager):
        upload = tried_out(manager, uploaded(manager, self.PEOPLE, kind="customers"), column_4="custom.note")
        assert upload.mapping["custom.note"] == "Shirt colour"
        assert upload.findings["report"]["customers_created"] == 1

    def test_a_change_is_shown_under_the_fields_label(self, manager):
        imported(manager, self.PEOPLE + "8;Bob;;;\n", kind="customers")
        changed = self.PEOPLE.replace("42,5", "43,5") + "8;Bob;;;\n"
        shown = page_of(manager, tried_out(manager, uploaded(manager, changed, kind="customers")))
        assert "Shoe size:" in shown
        assert "<del>42.5</del> → <ins>43.5</ins>" in shown

    def test_one_field_is_not_taken_twice(self, manager):
        upload = uploaded(manager, self.PEOPLE, kind="customers")
        answer = manager.post(
            f"/imports/{upload.pk}/mapping/", suggested(manager, upload) | {"column_4": "custom.shirt"}
        )
        assert answer.status_code == 422
        assert "“Shirt” is chosen for two columns" in answer.content.decode()

    def test_orders_offer_none(self, manager):
        page = manager.get(f"/imports/{uploaded(manager).pk}/mapping/").content.decode()
        assert "custom." not in page
        assert Upload.objects.get().kind == "orders"
