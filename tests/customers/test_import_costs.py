"""`./manage.py import_costs`: what channels and single customers cost, from files, all of one or nothing."""

from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from customers.importing import cost_rows
from customers.models import COUNTED, AcquisitionCost, Cost, CostKind
from customers.services import spend
from tests.factories import make_business, make_customer

pytestmark = pytest.mark.django_db
HEAD = "id,customer_id,date,kind,quantity,unit_cost\n"


@pytest.fixture
def bring(tmp_path):
    def run(text, **options):
        path = tmp_path / "costs.csv"
        path.write_text(text)
        out = StringIO()
        call_command("import_costs", str(path), stdout=out, **options)
        return out.getvalue()

    return run


def refused(bring, text, **options):
    with pytest.raises(CommandError) as caught:
        bring(text, **options)
    assert caught.value.returncode == 2
    return str(caught.value)


def of_customers(bring, text, **options):
    return bring(HEAD + text, of="customers", **options)


@pytest.fixture
def ada():
    return make_customer(external_id="c-1")


class TestAcquisition:
    def test_it_works(self, bring):
        assert bring("channel,month,amount\nads,2026-01,1200.50\nads,2026-02,900\n").startswith("amounts 2 new")
        found = AcquisitionCost.objects.order_by("month").values_list("channel", "month", "amount_cents")
        assert list(found) == [("ads", date(2026, 1, 1), 120_050), ("ads", date(2026, 2, 1), 90_000)]

    def test_the_same_file_twice_changes_nothing(self, bring):
        text = "channel,month,amount\nads,2026-01,1200.50\n"
        bring(text)
        assert bring(text) == "amounts 0 new, 0 changed, 1 as before\n"

    def test_a_bad_row_is_named_and_nothing_is_written(self, bring):
        said = refused(bring, "channel,month,amount\nads,2026-01,5\nads,2026-13,5\nads,2026-02,-1\n")
        assert "costs.csv: 2 rows cannot be used, so nothing was imported." in said
        assert "line 3, month: “2026-13” is not a month" in said
        assert "line 4, amount: “-1” is negative" in said
        assert not AcquisitionCost.objects.exists()

    def test_a_missing_column_is_named(self, bring):
        assert "month" in refused(bring, "channel,amount\nads,5\n")

    def test_a_dry_run(self, bring):
        assert "Dry run" in bring("channel,month,amount\nads,2026-01,5\n", dry_run=True)
        assert not AcquisitionCost.objects.exists()


class TestCustomers:
    def test_it_works(self, bring, ada):
        spend.set_unit_costs(unit_cents={"case": Decimal(450)})
        assert of_customers(bring, "m1,c-1,2026-01-05,email,2,0.0004\nk1,c-1,2026-01-06,Case,,\n") == (
            "costs 2 new, 0 as before\n"
        )
        found = Cost.objects.order_by("spent_on").values_list(
            "customer_id", "source", "external_id", "kind", "quantity", "unit_cents"
        )
        assert list(found) == [
            (ada.pk, "file", "m1", "email", Decimal(2), Decimal("0.04")),
            (ada.pk, "file", "k1", "case", Decimal(1), Decimal(450)),
        ]

    def test_the_same_file_twice_changes_nothing(self, bring, ada):
        for new in (1, 0):
            assert of_customers(bring, "m1,c-1,2026-01-05,email,1,0.5\n") == f"costs {new} new, {1 - new} as before\n"
        assert Cost.objects.count() == 1

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            ("m2,c-9,2026-01-05,email,1,1", "line 3, customer_id: “c-9” is no customer of the source “shop”"),
            ("m1,c-1,2026-01-05,email,1,1", "line 3, id: “m1” stands in the file before"),
            ("m2,c-1,2026-02-31,email,1,1", "line 3, date: “2026-02-31” is not a date"),
            ("m2,c-1,2026-01-05,pigeon,1,1", "line 3, kind: “pigeon” is no kind of cost; expected email, sms"),
            ("m2,c-1,2026-01-05,order,1,1", "line 3, kind: “order” is no kind of cost"),
            ("m2,c-1,2026-01-05,sms,1,-3", "line 3, unit_cost: “-3” is not within"),
            ("m2,c-1,2026-01-05,sms,x,3", "line 3, quantity: “x” is not a number"),
            (",c-1,2026-01-05,sms,1,3", "line 3, id: no id"),
            ("m2,,2026-01-05,sms,1,3", "line 3, customer_id: no customer_id"),
        ],
    )
    def test_a_bad_row_is_named_and_nothing_is_written(self, bring, ada, row, reason):
        said = refused(bring, f"{HEAD}m1,c-1,2026-01-05,email,1,1\n{row}\n", of="customers")
        assert reason in said
        assert not Cost.objects.exists()

    def test_a_cost_that_was_told_otherwise_is_refused(self, bring, ada):
        of_customers(bring, "m1,c-1,2026-01-05,email,1,1\n")
        assert "told otherwise before: file:m1" in refused(
            bring, f"{HEAD}m1,c-1,2026-01-05,email,1,2\nm2,c-1,2026-01-05,email,1,1\n", of="customers"
        )
        assert Cost.objects.count() == 1

    def test_a_cost_that_is_too_large(self, bring, ada):
        said = refused(bring, f"{HEAD}m1,c-1,2026-01-05,email,9999999,99999999\n", of="customers")
        assert "too large: file:m1" in said

    def test_a_currency_without_decimals(self, bring, ada):
        make_business(currency="JPY")
        of_customers(bring, "m1,c-1,2026-01-05,email,1,3\n")
        assert Cost.objects.get().unit_cents == 3

    def test_other_sources(self, bring):
        other = make_customer(source="till", external_id="c-1")
        of_customers(bring, "m1,c-1,2026-01-05,email,1,1\n", customers_of="till", source="mailer")
        assert (Cost.objects.get().customer, Cost.objects.get().source) == (other, "mailer")

    def test_a_dry_run(self, bring, ada):
        assert "Dry run" in of_customers(bring, "m1,c-1,2026-01-05,email,1,1\n", dry_run=True)
        assert not Cost.objects.exists()


def test_the_kinds_are_those_of_the_facts():
    assert set(cost_rows.KINDS) == {kind.value for kind in CostKind} - {kind.value for kind in COUNTED}
