"""The page Value: the totals of the nights, and the difference of two nights by drivers, in whole cents."""

import csv
import io
import re
from datetime import date, timedelta

import pytest
from django.urls import reverse

from analytics import schemes
from analytics.clv.drivers import NAMES
from analytics.scores import Name
from analytics.selectors import value_drivers, value_nights
from analytics.selectors.value_drivers import PARTS
from core.models import Run
from customers.models import Category
from tests import desk as nights
from tests.factories import make_business, make_customer

pytestmark = pytest.mark.django_db
AS_OF = nights.AS_OF  # 2026-03-31
LIFETIME = "clv_lifetime_cents"


def ago(days):
    return AS_OF - timedelta(days=days)


def worth(customer, year=20_000, **fields):
    """A row with a value of 36 months and a lifetime to its 12 months."""
    return nights.score(
        customer, **{"clv_cents": year, "clv_36m_cents": 2 * year, "clv_lifetime_cents": 3 * year} | fields
    )


def make_night(*rows, ends=None, **fields):
    run = nights.make_night(*rows, **fields)
    run.stats["ends"] = ends or {}
    run.save(update_fields=["stats"])
    return run


def forget(run, *measures):
    """What a night from before them has not added up."""
    for name in measures:
        del run.stats["all"][name]
    run.save(update_fields=["stats"])


@pytest.fixture
def people(db):
    return [make_customer() for _ in range(3)]


@pytest.fixture
def two_nights(people):
    """90 days ago two champions; today one of them is at risk, and somebody came."""
    anna, bob, cleo = people
    before = make_night(worth(anna), worth(bob, 10_001), as_of=ago(90), is_current=False)
    after = make_night(
        worth(anna, 30_000, expected_orders=5.0),
        worth(bob, 4_000, expected_orders=0.7, segment=Name.AT_RISK, churn_band=3),
        worth(cleo, 7_777, expected_orders=3.1, segment=Name.NEW),
        ends={"clv_cents": [30_000, 60_000], "clv_36m_cents": [50_000, 140_000], LIFETIME: [60_000, 250_000]},
    )
    return before, after


def of_shop(before, after, column=LIFETIME):
    return value_drivers.of_shop(before, after, column=column)


def by_segment(before, after, scheme=schemes.RFM, column=LIFETIME):
    return value_drivers.by_segment(before, after, scheme=scheme, column=column)


class TestDrivers:
    def test_parts_add_up_to_the_difference_in_whole_cents(self, two_nights):
        found = of_shop(*two_nights)
        assert (found.before_cents, found.after_cents) == (3 * 30_001, 3 * 41_777)
        assert sum(found.parts.values()) == found.difference_cents == 3 * 11_776
        assert found.parts["customers"] > 0  # two before, three now
        assert found.parts["time"] == 0  # three years before and now
        assert all(isinstance(cents, int) for cents in found.parts.values())

    @pytest.mark.parametrize("column", ["clv_cents", "clv_36m_cents", LIFETIME])
    @pytest.mark.parametrize("scheme", value_drivers.SCHEMES, ids=lambda scheme: scheme.slug)
    def test_rows_and_columns_add_up(self, two_nights, scheme, column):
        found, shop = by_segment(*two_nights, scheme, column), of_shop(*two_nights, column)
        for row in (*found.rows, found.total):
            assert sum(row.parts.values()) == row.difference_cents
        for name in PARTS:
            assert sum(row.parts[name] for row in found.rows) == found.total.parts[name]
        assert sum(row.before_cents for row in found.rows) == shop.before_cents
        assert sum(row.after_cents for row in found.rows) == shop.after_cents
        assert found.total.difference_cents == shop.difference_cents

    def test_a_segment_that_nobody_was_in_is_all_customers(self, two_nights):
        rows = {row.label: row for row in by_segment(*two_nights).rows}
        assert list(rows) == ["Champions", "New", "At risk"]
        assert rows["New"].parts == dict.fromkeys(PARTS, 0) | {"customers": 3 * 7_777}
        assert rows["New"].share is None
        assert rows["Champions"].url == "/segments/champions/"

    def test_contracts_have_a_part_of_their_own(self, people):
        """They know no orders: without this the money of an order would have doubled."""
        anna = people[0]
        before = make_night(worth(anna), as_of=ago(90), is_current=False)
        contract = {"contract_cents": 20_000, "contract_36m_cents": 40_000, "contract_lifetime_cents": 60_000}
        after = make_night(worth(anna, 40_000, **contract))
        assert of_shop(before, after).parts == dict.fromkeys(NAMES, 0) | {"contracts": 60_000}

    def test_who_sent_everything_back_is_nobody_but_may_have_a_contract(self, people):
        anna, bob, _ = people
        before = make_night(worth(anna), as_of=ago(90), is_current=False)
        contract = {"clv_lifetime_cents": 900, "contract_lifetime_cents": 900}
        after = make_night(worth(anna), nights.score_of_nobody(bob, **contract))
        assert of_shop(before, after).parts == dict.fromkeys(NAMES, 0) | {"contracts": 900}
        assert by_segment(before, after).rows[-1].label == "In no segment"
        assert by_segment(before, after).rows[-1].after_cents == 900

    def test_customers_of_no_category_are_in_a_row_of_their_own(self, people):
        anna, bob, _ = people
        tea = Category.objects.create(name="Tea")
        rows = [worth(anna, main_category=tea.pk), worth(bob)]
        found = by_segment(
            make_night(*rows, as_of=ago(90), is_current=False), make_night(*rows), scheme=schemes.PREFERENCE
        )
        assert [(row.label, row.after_cents) for row in found.rows] == [("Tea", 60_000), ("In no segment", 60_000)]
        assert found.rows[0].url == f"/segments/by/preference/c{tea.pk}/"

    def test_tags_are_not_among_the_schemes(self):
        """A customer may have several: their segments would not add up."""
        assert schemes.NEEDS not in value_drivers.SCHEMES

    @pytest.mark.parametrize("rows", [[], [{}], [{"year": 0, "expected_orders": 0.0}], [{"year": 10**11}] * 2])
    def test_every_shop_adds_up(self, people, rows):
        before = make_night(worth(people[0], 3), as_of=ago(90), is_current=False)
        after = make_night(*(worth(one, **row) for one, row in zip(people, rows, strict=False)))
        for first, last in ((before, after), (after, before)):
            found = of_shop(first, last)
            assert sum(found.parts.values()) == found.difference_cents


class TestNights:
    def test_the_nearest_night_that_can_be_compared(self, two_nights):
        before, after = two_nights
        found = value_nights.pair(since=None, until=AS_OF, days=365)
        assert (found.before.pk, found.after.pk, found.wanted) == (before.pk, after.pk, ago(365))
        assert not found.is_exact
        assert value_nights.pair(since=None, until=AS_OF, days=90).is_exact

    def test_of_two_as_near_the_earlier(self, people):
        first = make_night(as_of=ago(92), is_current=False)
        make_night(as_of=ago(88), is_current=False)
        make_night()
        assert value_nights.pair(since=None, until=AS_OF, days=90).before.pk == first.pk

    def test_the_newest_revision_of_a_date(self, people):
        make_night(as_of=ago(30), is_current=False)
        again = make_night(as_of=ago(30), is_current=False, revision=2)
        make_night()
        assert value_nights.pair(since=None, until=AS_OF, days=30).before.pk == again.pk

    def test_all_begins_with_the_first(self, two_nights):
        assert value_nights.pair(since=None, until=AS_OF, days=0).before.pk == two_nights[0].pk

    def test_a_night_that_has_not_added_it_up_is_left_out(self, two_nights):
        forget(two_nights[0], "contract_lifetime_cents")
        assert value_nights.pair(since=None, until=AS_OF, days=90) is None

    def test_a_night_at_work_says_nothing(self, two_nights):
        Run.objects.create(as_of=ago(60), started_at=nights.noon(AS_OF), stats=two_nights[0].stats)
        assert value_nights.pair(since=None, until=AS_OF, days=60).before.pk == two_nights[0].pk
        assert len(value_nights.course(since=date.min, until=AS_OF)) == 2

    def test_the_course(self, two_nights):
        first, last = value_nights.course(since=date.min, until=AS_OF)
        assert (first.as_of, first.customers, first.orders) == (ago(90), 2, 12.0)
        assert last.values == {"12m": 41_777, "36m": 2 * 41_777, "lifetime": 3 * 41_777}
        assert (first.ends, last.ends["36m"]) == ({}, [50_000, 140_000])
        assert (last.at_risk_cents, last.at_risk_share) == (4_000, 4_000 / 41_777)

    def test_many_nights_are_thinned_out(self):
        thin = value_nights.thinned(range(1000), most=120)
        assert (len(thin), thin[0], thin[-1]) == (120, 0, 999)
        assert value_nights.thinned(range(5), most=120) == [0, 1, 2, 3, 4]


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


def test_it_works(desk, two_nights):
    page = text(desk.get("/value/"))
    assert "$1.25k 80%: $600 to $2.5k" in page
    assert "The night of 31 March 2026 against that of 31 December 2025." in page
    assert (
        "The lifetime value rose by $353 (+39.3%). The main reason: an order is expected to bring more (+$684)."
        " Against it: a customer is expected to order less often (−$764)."
    ) in page
    assert "2 → 3" in page
    assert "nearest to" not in page


def test_the_nearest_night_is_named(desk, two_nights):
    assert "It is the night nearest to 31 March 2025 that can be compared." in text(desk.get("/value/?days=365"))


def test_the_waterfall_has_a_row_for_each_part(desk, two_nights):
    steps = desk.get("/value/").context["steps"]
    assert [str(step.label) for step in steps] == [
        *("31 Dec 2025", "Customers", "Time", "Frequency", "Money", "31 Mar 2026"),
    ]
    assert steps[0].cents + sum(step.cents for step in steps[1:-1]) == steps[-1].cents


def test_within_12_months_there_is_no_time(desk, two_nights):
    steps = desk.get("/value/?horizon=12m").context["steps"]
    assert [str(step.label) for step in steps[1:-1]] == ["Customers", "Frequency", "Money"]
    assert steps[0].cents + sum(step.cents for step in steps[1:-1]) == steps[-1].cents


def test_htmx_gets_the_part(desk, two_nights):
    page = desk.get("/value/?horizon=12m", headers={"HX-Request": "true"}).content.decode()
    assert page.startswith('<div id="value">')
    assert 'hx-get="?horizon=36m"' in page


def test_a_scheme(desk, two_nights):
    page = desk.get("/value/?scheme=value").content.decode()
    assert re.search(r'aria-current="true">\s*Value tier\s*</a>', page)
    assert "All segments" in page


def test_days_by_hand(desk, people):
    make_night(worth(people[0]), as_of=ago(200), is_current=False)
    make_night(worth(people[0]), as_of=ago(100), is_current=False)
    make_night(worth(people[0]))
    page = desk.get(f"/value/?since={ago(210)}&until={ago(95)}")
    assert (page.context["pair"].before.as_of, page.context["pair"].after.as_of) == (ago(200), ago(100))
    assert 'aria-label="Period"' in page.content.decode()
    assert page.context["days"] is None


@pytest.mark.parametrize(
    "query",
    [
        *("horizon=12y", "days=7", "days=x", "scheme=needs", "scheme=%00", "since=0001-01-01", "until=0001-01-02"),
        *("since=2026-02-31", "since=x&until=y", "since=9999-12-31", "since=2026-03-31&until=2026-03-31"),
    ],
)
def test_what_cannot_be_read_is_as_if_it_were_not_there(desk, two_nights, query):
    assert desk.get(f"/value/?{query}").status_code == 200


def test_days_in_the_wrong_order_are_told(desk, two_nights):
    answer = desk.get("/value/?since=2026-03-02&until=2026-03-01")
    assert "Choose a day after the first one." in text(answer)
    assert answer.context["days"] == 90  # as if they were not there


def test_before_the_first_night(desk):
    page = text(desk.get("/value/"))
    assert "No value yet" in page
    assert "What made the difference" not in page


def test_one_night(desk, people):
    make_night(worth(people[0]))
    page = text(desk.get("/value/"))
    assert "One night is no history yet" in page
    assert "Nothing to compare with yet" in page


def test_earlier_nights_without_the_measures_are_gaps(desk, two_nights):
    forget(two_nights[0], "clv_36m_cents", LIFETIME, "expected_milli", "contract_lifetime_cents")
    page = desk.get("/value/?horizon=lifetime")
    assert "1 of them has not added this horizon up." in text(page)
    assert [cents for _point, cents, _ends in page.context["course"]] == [3 * 41_777, None]
    assert "Nothing to compare with yet" in text(page)
    assert desk.get("/value/?horizon=12m").context["plot"]  # which every night has told


def test_a_current_night_without_the_measures(desk, two_nights):
    forget(two_nights[1], "clv_36m_cents", LIFETIME, "expected_milli", "contract_lifetime_cents")
    assert "from the next night on" in text(desk.get("/value/"))


@pytest.mark.parametrize("year", [0, 1, 10**11])
def test_a_currency_without_decimals_and_money_of_every_size(admin, people, year):
    make_business(currency="JPY")
    make_night(worth(people[0], year), as_of=ago(90), is_current=False)
    make_night(worth(people[0], 2 * year))
    page = admin.get("/value/").content.decode()
    assert not re.search(r"\b(nan|inf)\b", page.lower())
    assert "¥" in page
    assert "$" not in page


def rows_of(answer):
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))


def test_the_nights_as_a_file(admin, two_nights):
    first, last = rows_of(admin.get("/value/export/?days=0"))
    assert first["as_of"] == str(ago(90))
    assert (first["clv_12m"], first["clv_12m_low"], last["clv_12m_low"]) == ("300.01", "", "300.00")
    assert (last["customers"], last["expected_orders_12m"], last["clv_12m_at_risk"]) == ("3", "8.800", "40.00")


def test_the_file_has_the_night_that_the_page_compares_with(admin, people):
    make_night(worth(people[0]), as_of=ago(95), is_current=False)
    make_night(worth(people[0]))
    shown = [point.as_of for point, _cents, _ends in admin.get("/value/?days=90").context["course"]]
    assert [row["as_of"] for row in rows_of(admin.get("/value/export/?days=90"))] == [str(day) for day in shown[::-1]]
    assert shown[-1] == ago(95)


def test_the_drivers_as_a_file_add_up(admin, two_nights):
    rows = rows_of(admin.get("/value/drivers/export/?days=90"))
    assert [row["segment"] for row in rows] == ["Champions", "New", "At risk", "All segments", "All customers"]
    for row in rows:
        assert round(sum(float(row[name]) for name in PARTS), 2) == float(row["difference"])
        assert round(float(row["value_to"]) - float(row["value_from"]), 2) == float(row["difference"])


def test_a_category_cannot_be_a_formula(admin, people):
    bad = Category.objects.create(name="=1+1")
    for day in (ago(90), AS_OF):
        make_night(worth(people[0], main_category=bad.pk), as_of=day, is_current=day == AS_OF)
    assert rows_of(admin.get("/value/drivers/export/?scheme=preference"))[0]["segment"] == "'=1+1"


def test_files_need_two_nights_or_one(admin, people):
    assert admin.get("/value/export/").status_code == 404
    make_night(worth(people[0]))
    assert len(rows_of(admin.get("/value/export/"))) == 1
    assert admin.get("/value/drivers/export/").status_code == 404


@pytest.mark.parametrize("name", ["value_export", "value_drivers_export"])
def test_who_may_not_take_data_out_gets_403(desk, two_nights, name):
    assert desk.get(reverse(f"analytics:{name}")).status_code == 403
    assert "download" not in desk.get("/value/").content.decode()


def test_a_viewer_reads_it(viewer, two_nights):
    assert viewer.get("/value/").status_code == 200


@pytest.mark.parametrize("more", [0, 40])
def test_queries(desk, two_nights, more, django_assert_num_queries):
    for back in range(more):
        make_night(as_of=ago(1 + back), is_current=False)
    # session, user, business; run; for each of two nights, those on both sides of its day; nights, their totals; alerts
    with django_assert_num_queries(11):
        desk.get("/value/")
