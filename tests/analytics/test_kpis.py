"""Key figures: totals by hand, the rows behind them, and what is said where there is nothing to count."""

import csv
import io
from datetime import date, timedelta

import pytest

from analytics import definitions
from analytics.selectors import kpi_rows, kpis, value_nights
from analytics.services import baskets, cohorts, period_counts, totals
from crm.selectors import today as figures
from customers.models import AcquisitionCost
from tests import desk as nights
from tests.factories import make_business, make_customer, make_order, make_refund

pytestmark = pytest.mark.django_db
AS_OF = nights.AS_OF  # 2026-03-31


def ago(days):
    return AS_OF - timedelta(days=days)


def make_buyer(*ages, value_cents=10_000, name="", **fields):
    """A customer with an order so many days ago each, and the score that a night would give."""
    customer = make_customer(**({"name": name} if name else {}))
    orders = [make_order(customer=customer, day=ago(age), value_cents=value_cents, **fields) for age in ages]
    score = nights.score(
        customer,
        last_age_days=min(ages),
        orders=len(ages),
        order_days=len(set(ages)),
        first_at=nights.noon(ago(max(ages))),
        last_at=nights.noon(ago(min(ages))),
    )
    return score, orders


def pass_night(*buyers, **fields):
    run = nights.make_night(*(score for score, _orders in buyers), **fields)
    add_up()
    return run


def add_up():
    totals.refresh()
    baskets.refresh(as_of=AS_OF)
    cohorts.refresh(as_of=AS_OF)
    period_counts.refresh(as_of=AS_OF, active_days=90)


@pytest.fixture
def shop(db):
    """Five customers: new, stayed, left, left long ago, and one who came twice in the last month."""
    return pass_night(
        make_buyer(10, name="Nora New"),
        make_buyer(100, 5, name="Stan Stayed"),
        make_buyer(110, name="Lena Left"),
        make_buyer(400, name="Olga Old"),
        make_buyer(20, 3, name="Tom Twice"),
    )


def amounts(run, days=30):
    return {one.slug: one.now.value for one in kpis.read(run=run, days=days)}


def one(run, slug, days=30):
    return kpis.kpi(slug, kpis.Facts(run=run, days=days))


def test_by_hand(shop):
    """Active on 1 March: Stan and Lena. Of them active on 31 March: Stan. Orders in the month: Nora, Stan, Tom, Tom."""
    found = amounts(shop)
    assert (found["retention"], found["churn"]) == (0.5, 0.5)
    assert found["repeat"] == pytest.approx(2 / 3)
    assert found["frequency"] == pytest.approx(4 / 3)
    assert found["order-value"] == 10_000
    assert found["lifespan"] == pytest.approx(30 / 0.5 / 365)


def test_what_a_figure_is_made_of(shop):
    assert one(shop, "retention").now.parts == {"started": 2, "kept": 1}
    assert one(shop, "frequency").now.parts == {"orders": 4, "buyers": 3}
    assert one(shop, "order-value").now.parts == {"revenue": 40_000, "paid_orders": 4}


def test_order_value_is_net_of_what_came_back_and_counts_guests(db):
    buyer = make_buyer(10, 40)
    make_order(customer=None, day=ago(3), value_cents=2_000)
    make_refund(order=buyer[1][1], day=ago(2), value_cents=3_000)
    run = pass_night(buyer)
    assert one(run, "order-value").now.value == (10_000 + 2_000 - 3_000) / 2
    assert one(run, "order-value").before.value == 10_000


def test_the_period_before(db):
    """60 days ago Ana and Bo were active; 30 days ago Ana was, and Cy had come. Of Ana and Cy, Ana is still active."""
    run = pass_night(make_buyer(70, 40, 2), make_buyer(149), make_buyer(100, 95))
    found = one(run, "retention", days=30)
    assert found.before.parts == {"started": 3, "kept": 2}
    assert found.now.parts == {"started": 2, "kept": 1}
    assert found.change == pytest.approx((1 / 2 - 2 / 3) / (2 / 3))
    assert found.is_good is False


def test_falling_churn_is_good(db):
    run = pass_night(make_buyer(70, 40, 2), make_buyer(149), make_buyer(100, 95))
    assert one(run, "churn").is_good is False
    kept = kpis.Kpi(slug="churn", now=kpis.Amount(value=0.2), before=kpis.Amount(value=0.4))
    assert kept.is_good is True


def test_the_course_has_each_night(shop):
    period_counts.refresh(as_of=ago(30), active_days=90)
    assert [day for day, _amount in one(shop, "retention").course] == [ago(30), AS_OF]


# Costs


@pytest.fixture
def won(db):
    """February 2025: two customers, margin 40.00 each then, and one of them 40.00 more in March 2025 and 2026."""
    run = pass_night(
        make_buyer((AS_OF - date(2025, 2, 10)).days, (AS_OF - date(2025, 3, 10)).days, 21, channel="web"),
        make_buyer((AS_OF - date(2025, 2, 20)).days, channel="store"),
        make_buyer((AS_OF - date(2026, 3, 5)).days, channel="web"),
    )
    AcquisitionCost.objects.create(channel="web", month=date(2025, 2, 1), amount_cents=8_000)
    AcquisitionCost.objects.create(channel="store", month=date(2025, 2, 1), amount_cents=3_000)
    AcquisitionCost.objects.create(channel="web", month=date(2026, 3, 1), amount_cents=2_500)
    return run


def test_costs_by_hand(won):
    """Won in March 2026: one for 25.00. The cohort of February 2025: cost 55.00 each, 60.00 by month 12."""
    found = amounts(won, days=365)
    assert found["cac"] == 2_500
    assert found["ltv-cac"] == pytest.approx(60 / 55)
    assert found["payback"] == 1


def test_money_after_month_12_is_not_in_the_ratio(won):
    """The order of 10 March 2026 is in month 13 of February 2025."""
    assert one(won, "ltv-cac", days=365).now.parts["earned_each"] == 6_000


def test_cost_before_is_of_the_months_before(won):
    AcquisitionCost.objects.create(channel="web", month=date(2025, 3, 1), amount_cents=500)
    found = one(won, "cac", days=365).before
    assert found.reason == kpis.NO_COST or found.parts == {"cost": 11_500, "won": 2}
    assert found.value == 5_750


def test_channels_behind_the_cost(won):
    rows = dict(kpi_rows.channels(kpis.Facts(run=won, days=365)))
    assert rows["web"].per_customer == 2_500


def test_cohorts_behind_the_ratio(won):
    (row,) = kpi_rows.cohorts(kpis.Facts(run=won, days=365))
    assert (row.label, row.customers, row.cost, row.earned, row.payback) == ("Feb 2025", 2, 5_500, 6_000, 1)


def test_a_share_of_value_at_risk(db):
    run = nights.make_night(
        nights.score(make_customer(), clv_cents=30_000, churn_band=3),
        nights.score(make_customer(), clv_cents=70_000, churn_band=1),
    )
    add_up()
    assert amounts(run)["risk-share"] == pytest.approx(0.3)


def test_contracts_are_not_at_risk(db):
    run = nights.make_night(
        nights.score(make_customer(), clv_cents=30_000, contract_cents=10_000, churn_band=3),
        nights.score(make_customer(), clv_cents=10_000, contract_cents=10_000, churn_band=3),
        nights.score(make_customer(), clv_cents=60_000, contract_cents=20_000, churn_band=1),
    )
    add_up()
    assert amounts(run)["risk-share"] == pytest.approx(0.2)
    assert figures.value_at_risk(run) == value_nights.of(run).at_risk_cents == 20_000
    rows = list(kpi_rows.export("risk-share", kpis.Facts(run=run, days=90), currency="USD"))
    assert [(row[6], row[7]) for row in rows[1:]] == [("300.00", "100.00")]


# Nothing to count


def test_without_orders_every_figure_says_why(db):
    run = nights.make_night()
    add_up()
    for found in kpis.read(run=run, days=90):
        assert found.now.value is None, found.slug
        assert str(found.now.reason), found.slug


def test_before_the_counts_of_a_night(db):
    run = nights.make_night()
    assert str(one(run, "retention").now.reason) == "no night has run yet"


def test_nobody_left_is_no_endless_life(db):
    run = pass_night(make_buyer(100, 5))
    assert str(one(run, "lifespan").now.reason) == "nobody left in these days"


@pytest.mark.parametrize(
    ("margin_cents", "reason"), [(-5_000, "the margin has not covered the cost yet"), (0, "the margin has not covered")]
)
def test_losses_never_pay_back(margin_cents, reason):
    run = pass_night(make_buyer((AS_OF - date(2025, 2, 10)).days, margin_cents=margin_cents))
    AcquisitionCost.objects.create(channel="", month=date(2025, 2, 1), amount_cents=1_000)
    assert reason in str(one(run, "payback", days=365).now.reason)
    assert one(run, "ltv-cac", days=365).now.value == margin_cents / 1_000


def test_a_cost_of_nothing_has_no_ratio(db):
    run = pass_night(make_buyer((AS_OF - date(2025, 2, 10)).days))
    AcquisitionCost.objects.create(channel="", month=date(2025, 2, 1), amount_cents=0)
    assert str(one(run, "ltv-cac", days=365).now.reason) == "nothing was spent in these months"


def test_a_young_shop_has_no_ratio_yet(shop):
    AcquisitionCost.objects.create(channel="", month=date(2026, 3, 1), amount_cents=1_000)
    assert str(one(shop, "ltv-cac").now.reason) == "no month of first orders has had its twelve months yet"


def test_a_cost_that_won_nobody(db):
    run = pass_night(make_buyer(400))
    AcquisitionCost.objects.create(channel="", month=date(2026, 3, 1), amount_cents=1_000)
    assert "nobody ordered for the first time" in str(one(run, "cac").now.reason)


@pytest.mark.parametrize("value_cents", [-500, 0, 10**9])
def test_any_money_is_finite(value_cents):
    run = pass_night(make_buyer(10, 10, value_cents=value_cents), make_buyer(10, 300), make_buyer(40_000))
    for found in kpis.read(run=run, days=365):
        assert found.now.value is None or abs(found.now.value) < 1e12


# Pages


def names(answer):
    return [str(row[0]) for row in answer.context["listing"].rows]


@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        ("retention", ["Stan Stayed"]),
        ("churn", ["Lena Left"]),
        ("lifespan", ["Lena Left"]),
        ("repeat", ["Tom Twice", "Stan Stayed"]),
        ("frequency", ["Tom Twice", "Stan Stayed", "Nora New"]),
    ],
)
def test_the_customers_behind_a_figure(desk, shop, slug, expected):
    assert names(desk.get(f"/kpis/{slug}/?days=30")) == expected


@pytest.mark.parametrize("days", kpis.PERIODS)
def test_the_rows_are_as_many_as_the_figure_counts(db, days):
    buyers = [make_buyer(*ages) for ages in [(1,), (31, 2), (95, 40), (91,), (130, 100), (200, 89), (460, 95), (454,)]]
    facts = kpis.Facts(run=pass_night(*buyers), days=days)
    counted = {
        "retention": kpis.kpi("retention", facts).now.parts["kept"],
        "churn": kpis.kpi("churn", facts).now.parts["lost"],
        "repeat": kpis.kpi("repeat", facts).now.parts["repeated"],
        "frequency": kpis.kpi("frequency", facts).now.parts["buyers"],
    }
    assert counted == {slug: len(kpi_rows.listing(slug, facts, cursor="").rows) for slug in counted}


def test_the_list(desk, shop):
    page = desk.get("/kpis/?days=30").content.decode()
    assert "50.0%" in page
    assert "Not enough data: no acquisition cost entered for these months." in page
    assert page.count('class="card kpi"') == len(definitions.KPIS)
    assert 'href="/kpis/retention/?days=30"' in page


@pytest.mark.parametrize("slug", definitions.FIGURES)
def test_every_figure_has_its_page(desk, shop, slug):
    page = desk.get(f"/kpis/{slug}/").content.decode()
    assert str(definitions.FIGURES[slug].formula).replace("'", "&#x27;") in page


def test_every_kpi_says_what_its_rows_are():
    assert set(kpi_rows.KIND) == set(definitions.KPIS) == set(kpis.READERS)


def test_no_such_figure(desk, shop):
    assert desk.get("/kpis/nothing/").status_code == 404


def test_before_the_first_night(desk):
    assert "No figures yet" in desk.get("/kpis/").content.decode()
    assert desk.get("/kpis/retention/").status_code == 200


def test_orders_in_pages(desk):
    make_customer()
    run = pass_night(*[make_buyer(*range(1, 15)) for _ in range(2)])
    first = kpi_rows.listing("order-value", kpis.Facts(run=run, days=30), cursor="")
    second = kpi_rows.listing("order-value", kpis.Facts(run=run, days=30), cursor=first.next)
    assert (len(first.rows), len(second.rows)) == (25, 3)
    assert not {one.pk for one in first.rows} & {one.pk for one in second.rows}


def test_today_leads_to_the_definition(desk, shop):
    page = desk.get("/").content.decode()
    assert 'href="/kpis/revenue/"' in page
    assert str(definitions.FIGURES["revenue"].definition) in desk.get("/kpis/revenue/").content.decode()


def export(client, path):
    text = b"".join(client.get(path).streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_export_of_customers(admin, shop):
    (row,) = export(admin, "/kpis/churn/export/?days=30")
    assert row["last_order_at"] == "2025-12-11T12:00:00+00:00"
    assert (row["source"], row["order_days"], row["margin_to_date"]) == ("shop", "1", "160.00")


def test_export_of_orders_channels_and_cohorts(admin, won):
    assert len(export(admin, "/kpis/order-value/export/?days=30")) == 2
    (row,) = [row for row in export(admin, "/kpis/cac/export/?days=365") if row["channel"] == "web"]
    assert (row["acquisition_cost"], row["new_customers"], row["cost_per_customer"]) == ("25.00", "1", "25.00")
    (row,) = export(admin, "/kpis/ltv-cac/export/?days=365")
    assert (row["first_order_month"], row["ltv_to_cac"], row["payback_month"]) == ("Feb 2025", "1.0909", "1")


def test_viewers_read_and_take_nothing_out(viewer, shop):
    assert "export" not in viewer.get("/kpis/retention/").content.decode()
    assert viewer.get("/kpis/retention/export/").status_code == 403


def test_queries_do_not_grow(desk, shop, django_assert_max_num_queries):
    desk.get("/kpis/")
    with django_assert_max_num_queries(16):
        desk.get("/kpis/")
    with django_assert_max_num_queries(12):
        desk.get("/kpis/churn/")


def test_a_currency_without_decimals(desk):
    make_business(currency="JPY")
    pass_night(make_buyer(10))
    assert "¥10,000" in desk.get("/kpis/?days=30").content.decode()
