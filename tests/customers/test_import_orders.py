"""The command: presets, counts, dry run, rejects, exit codes."""

import csv
import io
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from core import business
from core.models import Change, Role, User
from customers.models import Customer, Email, ImportBatch, Order, OrderLine, Product, Refund, UnmatchedReturn
from tests.customers import ledger

pytestmark = pytest.mark.django_db

DATA = Path(__file__).parent.parent / "data"
RETAIL = DATA / "online_retail_excerpt.csv"
CDNOW = DATA / "cdnow_sample.csv"


def run(*args, tmp_path, **options):
    """Run the command; returns the report, stdout and stderr."""
    out, errors, report = io.StringIO(), io.StringIO(), tmp_path / "report.json"
    call_command("import_orders", *map(str, args), report=report, stdout=out, stderr=errors, **options)
    return json.loads(report.read_text()), out.getvalue(), errors.getvalue()


def write(path, *lines):
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def retail_rows():
    with RETAIL.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def net_of(rows):
    """An independent sum, row by row, in pence."""
    amounts = (Decimal(row["Quantity"]) * Decimal(row["UnitPrice"]) for row in rows)
    return int(sum(amounts, Decimal(0)).quantize(Decimal("0.01")) * 100)


def test_online_retail_keeps_every_penny(tmp_path):
    report, _, _ = run(RETAIL, preset="online_retail", tmp_path=tmp_path)
    rows = retail_rows()
    invoices = {row["InvoiceNo"] for row in rows if Decimal(row["Quantity"]) > 0}
    guests = {row["InvoiceNo"] for row in rows if Decimal(row["Quantity"]) > 0 and not row["CustomerID"]}
    assert report == {
        "read": len(rows),
        "imported": len(rows),
        "rejected": 0,
        "customers_created": len({row["CustomerID"] for row in rows} - {""}),
        "orders_created": len(invoices),
        "orders_updated": 0,
        "orders_unchanged": 0,
        "refund_lines": report["refund_lines"],
        "guest_orders": len(guests),
        "net_cents": net_of(rows),
    }
    assert ledger.net() == net_of(rows)
    assert OrderLine.objects.count() == sum(Decimal(row["Quantity"]) > 0 for row in rows)
    assert report["refund_lines"] > 50
    ledger.check()


def test_online_retail_net_of_each_customer(tmp_path):
    run(RETAIL, preset="online_retail", tmp_path=tmp_path)
    expected = Counter[str]()
    for row in retail_rows():
        if row["CustomerID"]:
            expected[row["CustomerID"].removesuffix(".0")] += net_of([row])
    for customer in Customer.objects.all():
        found = sum(customer.orders.values_list("net_cents", flat=True))
        found -= sum(customer.refunds.values_list("net_cents", flat=True))
        found -= sum(customer.unmatched_returns.values_list("net_cents", flat=True))
        assert found == expected[customer.identities.get().external_id]


def test_online_retail_twice_changes_nothing(tmp_path):
    first, _, _ = run(RETAIL, preset="online_retail", tmp_path=tmp_path)
    before, fed = ledger.facts(), Change.objects.count()
    second, _, _ = run(RETAIL, preset="online_retail", tmp_path=tmp_path)
    assert ledger.facts() == before
    assert Change.objects.count() == fed
    assert second == first | {
        "customers_created": 0,
        "orders_created": 0,
        "orders_unchanged": first["orders_created"],
    }


def test_online_retail_dirt(tmp_path):
    run(RETAIL, preset="online_retail", tmp_path=tmp_path)
    kinds = dict(Product.objects.values_list("sku", "kind"))
    assert [kinds[sku] for sku in ("POST", "DOT", "C2")] == ["shipping"] * 3
    assert [kinds[sku] for sku in ("AMAZONFEE", "BANK CHARGES", "CRUK", "S")] == ["fee"] * 4
    assert [kinds[sku] for sku in ("M", "D", "B")] == ["adjustment"] * 3
    assert (kinds["PADS"], kinds["GIFT_0001_10"], kinds["DCGS0003"]) == ("goods",) * 3
    assert all(sku == sku.upper() for sku in kinds)
    debt = Order.objects.get(external_id="A563186")
    assert (debt.net_cents, debt.value_cents, debt.customer) == (-1106206, -1106206, None)
    assert set(UnmatchedReturn.objects.values_list("reason", flat=True)) == {"no-order", "excess", "guest"}
    assert Order.objects.filter(net_cents=0, customer__isnull=False).exists()
    assert Order.objects.exclude(fully_refunded_on=None).exists()
    postage = Order.objects.filter(lines__product__sku="POST", customer__isnull=False).earliest("pk")
    assert postage.net_cents - postage.value_cents == sum(
        postage.lines.filter(counts=False).values_list("net_cents", flat=True)
    )


def test_online_retail_takes_the_earlier_of_two_times(tmp_path):
    run(RETAIL, preset="online_retail", tmp_path=tmp_path)
    times: dict[str, set[str]] = {}
    for row in retail_rows():
        times.setdefault(row["InvoiceNo"], set()).add(row["InvoiceDate"])
    two = next(invoice for invoice, found in times.items() if len(found) > 1)
    assert f"{Order.objects.get(external_id=two).placed_at:%Y-%m-%d %H:%M:%S}" == min(times[two])


def test_online_retail_refunds_are_not_before_their_orders(tmp_path):
    run(RETAIL, preset="online_retail", tmp_path=tmp_path)
    for refund in Refund.objects.select_related("order"):
        assert refund.external_id.startswith("C")
        assert refund.refunded_at >= refund.order.placed_at
        assert refund.customer_id == refund.order.customer_id


def test_cdnow(tmp_path):
    report, _, _ = run(CDNOW, preset="cdnow", tmp_path=tmp_path)
    with CDNOW.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert report["read"] == report["imported"] == len(rows) == 6919
    assert report["customers_created"] == 2357
    assert report["orders_created"] == len({(row["customer_id"], row["date"]) for row in rows})
    assert report["net_cents"] == sum(int(Decimal(row["amount"]) * 100) for row in rows)
    assert not Order.objects.filter(date_only=False).exists()
    assert Order.objects.filter(net_cents=0).exists()


GENERIC = (
    "customer_id,date,amount,order_id,email,name,product,quantity,unit_price,unit_cost,discount,tax,shipping,currency,"
    "channel,status"
)


def test_generic_with_every_column(tmp_path):
    file = write(
        tmp_path / "orders.csv",
        GENERIC,
        "a,2024-01-01 10:00,19.00,1,Ann@Example.com,Ann,mug,2,10.00,4.00,1.00,3.80,4.90,usd,web,completed",
        "a,2024-01-01 10:00,5.00,1,ann@example.com,Ann,cup,1,5.00,,,3.80,4.90,USD,web,completed",
        "a,2024-02-01,-9.50,1,,,mug,-1,,,,,,,web,",
        "b,2024-01-02,,2,,,cup,3,5.00,,2.00,,,,shop,pending",
        "b,2024-01-03,,3,,,cup,1,-1.50,,,,,,shop,",
    )
    report, _, errors = run(file, tmp_path=tmp_path)
    assert (report["imported"], report["orders_created"], report["refund_lines"]) == (5, 3, 1), errors
    assert report["net_cents"] == 1900 + 500 - 950 + 1300 - 150
    first = Order.objects.get(external_id="1")
    assert (first.net_cents, first.margin_cents, first.tax_cents, first.shipping_cents) == (2400, 1100 + 200, 380, 490)
    assert (first.channel, first.status, Email.objects.get().address) == ("web", "paid", "ann@example.com")
    assert first.refunds.get().margin_cents == 550
    assert Order.objects.get(external_id="2").status == "pending"
    adjusted = Order.objects.get(external_id="3")
    assert (adjusted.net_cents, adjusted.value_cents, adjusted.lines.get().product.kind) == (-150, 0, "adjustment")


def test_columns_can_be_mapped(tmp_path):
    file = write(tmp_path / "orders.csv", "Client;When;Total Paid", "a;31.12.2023;1.234,50")
    report, _, _ = run(file, map=["customer_id=client", "date=When", "amount=total paid"], tmp_path=tmp_path)
    assert report["net_cents"] == 123450


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"map": ["colour=x"]}, "There is no field “colour”"),
        ({"map": ["amount=x"]}, "no column “x” for amount"),
        ({"map": ["amount"]}, "is not FIELD=COLUMN"),
        (
            {"preset": "shopware"},
            "There is no preset “shopware”. The presets are: generic, shopify, woocommerce, cdnow",
        ),
        ({"source": " "}, "A source has a name"),
        ({"rejects": Path("/nowhere/rejects.csv")}, "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path, options, reason):
    file = write(tmp_path / "orders.csv", "customer_id,date,amount", "a,2024-01-01,5")
    with pytest.raises(CommandError, match=reason) as refused:
        run(file, tmp_path=tmp_path, **options)
    assert refused.value.returncode == 2
    assert not Order.objects.exists()


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(CommandError, match="does not exist"):
        run(tmp_path / "none.csv", tmp_path=tmp_path)


def test_a_dry_run_counts_the_same_and_leaves_nothing(tmp_path):
    dry, out, _ = run(RETAIL, preset="online_retail", dry_run=True, tmp_path=tmp_path)
    assert "Dry run: nothing was changed." in out
    for model in (Order, Customer, Product, Change, ImportBatch):
        assert not model.objects.exists()
    wet, _, _ = run(RETAIL, preset="online_retail", tmp_path=tmp_path)
    assert dry == wet


def test_rejects_keep_the_row_and_say_why(tmp_path):
    rejects = tmp_path / "rejects.csv"
    file = write(
        tmp_path / "orders.csv",
        "customer_id,date,amount,name,order_id",
        "a,2024-02-31,-5.00,=HYPERLINK(),1",
        "b,2024-01-01,5,Bob,2",
        "c,2024-01-01,5,Cid,2",
        "d,2024-01-01,5,Dan,3",
    )
    report, _, errors = run(file, rejects=rejects, tmp_path=tmp_path)
    assert (report["imported"], report["rejected"]) == (1, 3)
    with rejects.open(newline="") as kept:
        first, second, third = csv.DictReader(kept)
    assert first == {
        "customer_id": "a",
        "date": "2024-02-31",
        "amount": "-5.00",
        "name": "'=HYPERLINK()",
        "order_id": "1",
        "file": "orders.csv",
        "line": "2",
        "field": "date",
        "value": "2024-02-31",
        "reason": "is not a date; expected YYYY-MM-DD",
    }
    assert (second["line"], third["line"], third["name"]) == ("3", "4", "Cid")
    assert "rejected: orders.csv, line 2, date: “2024-02-31” is not a date; expected YYYY-MM-DD" in errors


def test_a_skipped_hour_is_imported_and_noted(tmp_path):
    settings = business.current()
    settings.time_zone = "Europe/Berlin"
    settings.save(update_fields=["time_zone"])
    file = write(tmp_path / "orders.csv", "customer_id,date,amount", "a,2024-03-31 02:30,5")
    report, _, errors = run(file, tmp_path=tmp_path)
    assert report["imported"] == 1
    assert "note: orders.csv, line 2, date: “2024-03-31 02:30” is skipped by the clocks in Europe/Berlin" in errors


def test_yen_have_no_minor_unit(tmp_path):
    settings = business.current()
    settings.currency = "JPY"
    settings.save(update_fields=["currency"])
    file = write(tmp_path / "orders.csv", "customer_id,date,amount", "a,2024-01-01,¥1200")
    assert run(file, tmp_path=tmp_path)[0]["net_cents"] == 1200


class TestTheFirstFileSaysTheCurrency:
    LINES = ("customer_id,date,amount,currency", "a,2024-01-01,1200,JPY", "b,2024-01-02,300,jpy", "c,2024-01-03,5,")

    def test_a_business_that_nobody_set_up_takes_it(self, tmp_path):
        report, _, errors = run(write(tmp_path / "orders.csv", *self.LINES), tmp_path=tmp_path)
        assert (report["imported"], report["net_cents"], business.current().currency) == (3, 1505, "JPY")
        assert "the business keeps JPY from now on" in errors

    def test_trying_it_out_sets_nothing(self, tmp_path):
        file = write(tmp_path / "orders.csv", *self.LINES)
        assert run(file, tmp_path=tmp_path, dry_run=True)[0]["imported"] == 3
        assert business.current().currency == "USD"

    def test_one_that_somebody_set_up_or_that_has_orders_keeps_its_own(self, tmp_path):
        file = write(tmp_path / "orders.csv", *self.LINES)
        one = write(tmp_path / "one.csv", "customer_id,date,amount", "z,2024-01-01,5")
        run(one, tmp_path=tmp_path)
        assert run(file, tmp_path=tmp_path)[0]["rejected"] == 2
        Order.objects.all().delete()
        User.objects.create_user("ada@example.com", role=Role.ADMIN)
        assert run(file, tmp_path=tmp_path)[0]["rejected"] == 2
        assert business.current().currency == "USD"

    def test_of_two_currencies_none_is_taken(self, tmp_path):
        file = write(tmp_path / "orders.csv", *self.LINES, "d,2024-01-04,5,EUR")
        assert run(file, tmp_path=tmp_path)[0]["rejected"] == 3


def test_two_files_are_one_import(tmp_path):
    one = write(tmp_path / "one.csv", "customer_id,date,amount", "a,2024-01-01,5")
    two = write(tmp_path / "two.csv", "customer_id,date,amount", "a,2024-01-02,5")
    report, out, _ = run(one, two, tmp_path=tmp_path)
    assert (report["read"], report["orders_created"], report["customers_created"]) == (2, 2, 1)
    batch = ImportBatch.objects.get()
    assert (batch.files, batch.state, batch.report) == (["one.csv", "two.csv"], "done", report)
    assert f"undo_import {batch.pk}" in out
