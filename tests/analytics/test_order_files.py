"""An order log from a file is the log that an import of the file leaves behind."""

from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command

from analytics.clv import cells
from analytics.clv.order_log import NO_ORDER_DAY
from analytics.services import order_files, order_logs
from analytics.services.order_files import Source
from customers.importing import presets
from customers.importing.problems import FileProblem
from customers.models import Identity

DATA = Path(__file__).parent.parent / "data"
LATER = np.datetime64("2030-01-01").astype(object)


def write(path, *lines):
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def read(*paths, preset="generic", **options):
    return order_files.read(source=Source(paths=paths, preset=presets.ORDERS[preset], **options))


def facts(log, ids):
    """What a log holds, by the customers' own ids."""
    rows = zip(
        *(getattr(log, name).tolist() for name in ("customer", "order_day", "seen_on", "orders", "value")), strict=True
    )
    return sorted((ids[code], *rest) for code, *rest in rows if rest[2] or rest[3])


def imported(*paths, preset="generic"):
    call_command("import_orders", *map(str, paths), preset=preset, stdout=StringIO(), stderr=StringIO())
    log, ids = order_logs.read(as_of=LATER, currency="USD")
    names = dict(Identity.objects.values_list("customer_id", "external_id"))
    return facts(log, [names[pk] for pk in ids.tolist()])


FILES = [
    ("online_retail_excerpt.csv", "online_retail"),
    ("cdnow_sample.csv", "cdnow"),
    ("shopify_orders.csv", "shopify"),
    ("woocommerce_items.csv", "woocommerce"),
    ("woocommerce_advanced.csv", "woocommerce"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("file", "preset"), FILES)
def test_it_says_what_an_import_says(file, preset):
    found = read(DATA / file, preset=preset)

    assert facts(found.log, found.ids) == imported(DATA / file, preset=preset)
    assert found.log.customer.size > 0


GENERIC = (
    "customer_id,date,amount,order_id,product,quantity,status",
    "ada,2026-01-05,10.00,A1,tea,2,paid",
    "ada,2026-01-05,5.00,A1,cup,1,paid",
    "ada,2026-01-09,-5.00,A1,cup,-1,paid",
    "ada,2026-02-01,8.00,A2,tea,1,paid",
    "ada,2026-02-11,-8.00,A2,tea,-1,paid",
    "ada,2026-03-01,7.00,A3,tea,1,pending",
    "bob,2026-01-06,20.00,B1,tea,4,cancelled",
    "bob,2026-01-08,20.00,B2,tea,4,paid",
    "bob,2026-04-08,-2.50,B2,tea,0,paid",
    "bob,2026-04-09,-30.00,,pot,-1,paid",
    "cyd,2026-01-06,1.00,C1,tea,1,paid",
    "dan,2026-01-06,1.00,C1,cup,1,paid",
    ",2026-01-06,9.00,G1,tea,1,paid",
    "eve,never,9.00,E1,tea,1,paid",
)


@pytest.mark.django_db
def test_dirt_counts_as_it_does_in_an_import(tmp_path):
    path = write(tmp_path / "orders.csv", *GENERIC)
    found = read(path)

    assert facts(found.log, found.ids) == imported(path)
    assert (found.rows, found.rejected, found.guest_rows) == (14, 3, 1)


@pytest.mark.django_db
def test_a_later_file_replaces_orders_of_an_earlier(tmp_path):
    head = "customer_id,date,amount,order_id"
    first = write(tmp_path / "first.csv", head, "ada,2026-01-05,10.00,A1", "ada,2026-01-07,10.00,A2")
    second = write(tmp_path / "second.csv", head, "ada,2026-01-06,4.00,A1")
    found = read(first, second)

    assert facts(found.log, found.ids) == imported(first, second)
    assert sorted(found.log.value.tolist()) == [400.0, 1000.0]


@pytest.mark.django_db
def test_orders_without_an_id_are_told_apart_by_customer_and_time(tmp_path):
    path = write(
        tmp_path / "orders.csv",
        "customer_id,placed_at,amount",
        "ada,2026-01-05 10:00,10.00",
        "ada,2026-01-05 10:00,2.00",
        "ada,2026-01-05 11:00,3.00",
    )
    found = read(path)

    assert facts(found.log, found.ids) == imported(path)
    assert (found.log.orders.tolist(), found.log.value.tolist()) == ([2], [1500.0])


# By hand


def one(tmp_path, *rows, head="customer_id,date,amount,order_id,product,quantity", **options):
    return read(write(tmp_path / "orders.csv", head, *rows), **options)


def day(text):
    return int(np.datetime64(text).astype(int))


def test_an_order_that_came_back_is_known_until_then(tmp_path):
    found = one(tmp_path, "ada,2026-01-05,8.00,A1,tea,1", "ada,2026-02-11,-8.00,A1,tea,-1")

    for when, order_days, value in (("2026-02-10", 1, 8.0), ("2026-02-11", 0, 0.0)):
        history, _ = found.log.history(day(when))
        assert (history.order_days.tolist(), history.value.tolist()) == ([order_days], [value])


def test_a_return_without_an_order_has_no_day(tmp_path):
    found = one(tmp_path, "ada,2026-01-05,8.00,A1,tea,1", "ada,2026-02-11,-3.00,,cup,-1")

    assert found.log.order_day.tolist() == [day("2026-01-05"), NO_ORDER_DAY]
    assert found.log.value.tolist() == [800.0, -300.0]


def test_guests_are_left_out_and_counted(tmp_path):
    found = one(tmp_path, "ada,2026-01-05,8.00,A1,tea,1", ",2026-01-06,9.00,G1,tea,1", ",2026-01-07,9.00,,tea,1")

    assert (found.ids, found.guest_rows) == (["ada"], 2)


def test_days_are_those_of_the_zone(tmp_path):
    row, head = "ada,2026-01-05T20:00:00Z,8.00", "customer_id,placed_at,amount"

    assert one(tmp_path, row, head=head).log.order_day.tolist() == [day("2026-01-05")]
    assert one(tmp_path, row, head=head, zone="Asia/Tokyo").log.order_day.tolist() == [day("2026-01-06")]


def test_the_currency_is_what_the_file_says_most_often(tmp_path):
    head = "customer_id,date,amount,currency"
    rows = ("ada,2026-01-05,800,JPY", "ada,2026-01-07,900,JPY", "ada,2026-01-09,5,EUR")
    found = one(tmp_path, *rows, head=head)

    assert (found.log.unit, found.log.value.tolist(), found.rejected) == (1.0, [800.0, 900.0], 1)
    assert one(tmp_path, *rows, head=head, currency="EUR").log.value.tolist() == [500.0]


def test_a_file_without_amounts_has_days_and_no_money(tmp_path):
    found = one(tmp_path, "ada,2026-01-05", "ada,2026-01-07", head="customer_id,date")

    assert (found.log.orders.tolist(), found.log.value.tolist()) == ([1, 1], [0.0, 0.0])


def test_columns_can_be_named(tmp_path):
    found = one(tmp_path, "ada,2026-01-05,8.00", head="who,when,paid", mapping={"customer_id": "who", "date": "when"})

    assert (found.ids, found.log.order_day.tolist()) == (["ada"], [day("2026-01-05")])


def test_dates_before_1970(tmp_path):
    assert one(tmp_path, "ada,1965-05-01,8.00,A1,tea,1").log.order_day.tolist() == [day("1965-05-01")]


def test_rows_that_cannot_be_read_are_told(tmp_path):
    refused = []
    path = write(tmp_path / "orders.csv", "customer_id,date,amount", "ada,2026-01-05,8.00", "ada,never,8.00")
    order_files.read(source=Source(paths=[path], preset=presets.GENERIC), refuse=refused.append)

    assert [reject.line for reject in refused] == [3]


def test_a_file_without_rows_gives_an_empty_log(tmp_path):
    found = one(tmp_path)

    assert (found.log.customers, found.log.customer.size) == (0, 0)


def test_a_file_without_customers_is_refused(tmp_path):
    with pytest.raises(FileProblem, match="no column for customer_id"):
        one(tmp_path, "2026-01-05,8.00", head="date,amount")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FileProblem):
        read(tmp_path / "nothing.csv")


def kinds_of(found):
    return dict(zip(found.ids, found.log.cell.tolist(), strict=True))


def test_customers_have_the_cell_of_their_first_paid_order(tmp_path, monkeypatch):
    monkeypatch.setattr(cells, "FEWEST", 2)
    path = write(
        tmp_path / "orders.csv",
        "customer_id,date,amount,order_id,channel,status",
        "ada,2026-01-05,10.00,A1,Search,paid",
        "ada,2026-01-04,10.00,A0,Mail,cancelled",
        "bob,2026-02-05,10.00,B2,Mail,paid",
        "bob,2026-01-05,10.00,B1,Search,paid",
        "cy,2026-01-07,10.00,C1,Mail,paid",
        "di,2026-01-07,10.00,D1,Mail,paid",
        "ed,2026-01-07,10.00,E1,Mail,paid",
        "flo,2026-01-07,10.00,F1,Fair,paid",
    )

    assert kinds_of(read(path)) == {"ada": 2, "bob": 2, "cy": 1, "di": 1, "ed": 1, "flo": 0}


def test_a_category_is_what_most_of_the_first_order_went_to(tmp_path, monkeypatch):
    monkeypatch.setattr(cells, "FEWEST", 2)
    rows = [f"{who},2026-01-05,{amount},{who}1,{name}" for who in "ab" for amount, name in ((3, "Tea"), (5, "Cups"))]
    rows += [f"{who},2026-01-05,{amount},{who}1,{name}" for who in "cde" for amount, name in ((5, "Tea"), (5, "Urns"))]
    path = write(tmp_path / "orders.csv", "customer_id,date,amount,order_id,category", *rows)

    assert kinds_of(read(path)) == {"a": 2, "b": 2, "c": 1, "d": 1, "e": 1}


def test_without_channels_all_are_the_rest(tmp_path):
    path = write(tmp_path / "orders.csv", "customer_id,date,amount", "ada,2026-01-05,1.00", "bob,2026-01-05,1.00")

    assert kinds_of(read(path)) == {"ada": 0, "bob": 0}
