"""The page of cohorts: what it counts, what its address says, who may take it out."""

import csv
import io
import re
from datetime import date

import pytest

from analytics.selectors import acquisition
from analytics.services import baskets, cohorts
from customers.models import AcquisitionCost, Category, Product
from tests.factories import make_business, make_customer, make_order

pytestmark = pytest.mark.django_db
AS_OF = date(2026, 3, 31)


def day(month, number=10):
    return date(2026, month, number)


def add_up(as_of=AS_OF):
    baskets.refresh(as_of=as_of)
    cohorts.refresh(as_of=as_of)


@pytest.fixture
def shop(db):
    """January: two customers by web and one by the store; one of web comes again in March. February: one by web."""
    Product.objects.create(sku="T", category=Category.objects.create(name="Tea"))
    anna, bob, cleo, dan = (make_customer() for _ in range(4))
    make_order(customer=anna, day=day(1), value_cents=10_000, margin_cents=3_000, channel="web")
    make_order(customer=bob, day=day(1), value_cents=5_000, margin_cents=1_000, channel="web")
    make_order(customer=cleo, day=day(1), value_cents=2_000, margin_cents=500, channel="store")
    make_order(customer=anna, day=day(3), value_cents=10_000, margin_cents=3_000, channel="store")
    make_order(customer=dan, day=day(2), value_cents=1_000, margin_cents=400, channel="web")
    add_up()


def table(answer):
    """Label and cells of each row of the heat table."""
    grid = answer.context["grid"]
    return {
        row.label: [None if cell.value is None else round(cell.value, 4) for cell in row.cells]
        for row in (*grid.rows, grid.whole)
    }


def test_it_works(desk, shop):
    answer = desk.get("/retention/")
    assert table(answer) == {
        "Jan 2026": [1.0, 0.0, 0.3333],
        "Feb 2026": [1.0, 0.0],
        "All": [1.0, 0.0, 0.3333],
    }
    page = answer.content.decode()
    assert re.search(r'<th scope="row">\s*Jan 2026\s*</th>\s*<td class="num">3</td>', page)
    assert '<td class="heat q10"><span>33%</span></td>' in page


def test_orders_and_margin_add_up(desk, shop):
    assert table(desk.get("/retention/?measure=orders"))["Jan 2026"] == [1.0, 1.0, 1.3333]
    assert table(desk.get("/retention/?measure=margin"))["Jan 2026"] == [1500.0, 1500.0, 2500.0]


def test_by_quarter(desk, shop):
    assert table(desk.get("/retention/?rows=quarter"))["Q1 2026"] == [1.0, 0.0, 0.3333]


def test_by_channel_of_the_first_order(desk, shop):
    found = table(desk.get("/retention/?rows=channel"))
    assert found == {"web": [1.0, 0.0, 0.5], "store": [1.0, 0.0, 0.0], "All": [1.0, 0.0, 0.3333]}


def test_all_are_all_where_more_channels_are_than_rows(desk):
    for number in range(14):
        make_order(customer=make_customer(), day=day(2), channel=f"c{number:02}")
    add_up()
    grid = desk.get("/retention/?rows=channel").context["grid"]
    assert (len(grid.rows), grid.whole.customers) == (12, 14)


def test_by_category_of_the_first_order(desk, shop):
    assert list(table(desk.get("/retention/?rows=category"))) == ["Tea", "All"]


def test_one_channel_alone(desk, shop):
    answer = desk.get("/retention/?of=channel:web")
    assert [(row.label, row.customers) for row in answer.context["grid"].rows] == [("Jan 2026", 2), ("Feb 2026", 1)]


def test_an_address_that_says_nothing_known_is_the_usual_page(desk, shop):
    answer = desk.get("/retention/?measure=x&rows=y&months=z&of=channel:%00")
    assert list(table(answer)) == ["Jan 2026", "Feb 2026", "All"]


def test_a_month_that_is_not_over_is_marked(desk):
    make_order(customer=make_customer(), day=day(2))
    add_up(date(2026, 3, 15))
    page = desk.get("/retention/?measure=orders").content.decode()
    assert re.search(r'<td class="heat q10 is-part" title="The month is not over">', page)


def test_payback_beside_the_cost_of_the_channel(desk, shop):
    AcquisitionCost.objects.create(channel="web", month=day(1, 1), amount_cents=7_000)
    AcquisitionCost.objects.create(channel="store", month=day(1, 1), amount_cents=500)
    answer = desk.get("/retention/?measure=margin")
    january, february = answer.context["grid"].rows
    assert (january.cost, january.payback) == (2_500.0, 2)  # 75.00 for three; 15.00 by January, 25.00 by March
    assert (february.cost, february.payback) == (None, None)
    web, store = desk.get("/retention/?rows=channel").context["grid"].rows
    assert (web.cost, web.payback) == (3_500.0, 2)
    assert (store.cost, store.payback) == (500.0, 0)


def test_a_cost_that_nobody_has_covered_yet(desk, shop):
    AcquisitionCost.objects.create(channel="web", month=day(1, 1), amount_cents=7_001)
    assert "not yet" in desk.get("/retention/?rows=channel").content.decode()


def test_without_costs_the_page_says_so(desk, shop):
    assert "No acquisition cost is entered" in desk.get("/retention/").content.decode()
    assert "a category has none" in desk.get("/retention/?rows=category").content.decode()


def test_spend_by_channel_counts_customers_of_months_with_a_cost(shop):
    AcquisitionCost.objects.create(channel="web", month=day(1, 1), amount_cents=7_000)
    AcquisitionCost.objects.create(channel="radio", month=day(1, 1), amount_cents=900)
    found = acquisition.by_channel(first=2026 * 12, last=2026 * 12 + 2)
    assert {name: (one.cents, one.customers, one.per_customer) for name, one in found.items()} == {
        "web": (7_000, 2, 3_500.0),
        "radio": (900, 0, None),
        "store": (0, 1, None),
    }


def test_losses_are_coloured_as_such(desk):
    make_order(customer=make_customer(), day=day(2), value_cents=100, margin_cents=-5_000)
    add_up()
    assert '<td class="heat-loss"><span>−$50</span></td>' in desk.get("/retention/?measure=margin").content.decode()


def test_a_currency_without_decimals(desk):
    make_business(currency="JPY")
    make_order(customer=make_customer(), day=day(2), value_cents=9_000, margin_cents=1_500)
    add_up()
    assert "¥1.5k" in desk.get("/retention/?measure=margin").content.decode()


def test_nothing_yet(admin):
    assert "No cohorts yet" in admin.get("/retention/").content.decode()
    assert admin.get("/retention/export/").status_code == 404


def test_ten_years_of_cohorts_are_cut_to_what_is_asked(desk):
    for year in range(2016, 2026):
        make_order(customer=make_customer(), day=date(year, 5, 1))
    add_up()
    assert [row.label for row in desk.get("/retention/?months=36").context["grid"].rows] == [
        "May 2023",
        "May 2024",
        "May 2025",
    ]


def test_viewers_read_and_take_nothing_out(viewer, shop):
    assert viewer.get("/retention/").status_code == 200
    assert "/retention/export/" not in viewer.get("/retention/").content.decode()
    assert viewer.get("/retention/export/").status_code == 403


def test_export(admin, shop):
    AcquisitionCost.objects.create(channel="web", month=day(1, 1), amount_cents=7_000)
    text = b"".join(admin.get("/retention/export/?rows=channel").streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 9
    assert rows[2] == {
        "cohort": "web",
        "customers": "3",
        "acquisition_cost_per_customer": "35.00",
        "payback_month": "2",
        "month": "2",
        "is_complete": "True",
        "customers_counted": "2",
        "retention": "0.500000",
        "orders_per_customer": "1.500000",
        "margin_per_customer": "35.00",
    }


@pytest.mark.parametrize("rows", ["month", "channel"])
def test_queries_do_not_grow_with_rows(desk, shop, rows, django_assert_max_num_queries):
    for number in range(12):
        make_order(customer=make_customer(), day=date(2025, 4 + number % 8, 1), channel=f"c{number}")
    add_up()
    desk.get("/retention/")
    with django_assert_max_num_queries(14):
        desk.get(f"/retention/?rows={rows}")
