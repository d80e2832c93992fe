"""What a customer and a segment are worth, on the customer's page and the segment's."""

from datetime import date

import pytest

from analytics.clv import profit
from analytics.models import Profit, Score
from analytics.selectors import worth
from customers.models import Membership, Segment
from tests.desk import make_night, score, score_of_nobody
from tests.factories import make_business, make_customer

pytestmark = pytest.mark.django_db
SHOP = profit.Shop(churn=0.25, lifespan=4.0, margin_rate=0.5, order_cost=1.0, other_rate=2.0)
COSTS = {"acquisition_cents": 5_000, "cost_cents": 1_500, "expected_cost_cents": 800}


def night(*rows, shop=SHOP):
    run = make_night(*rows)
    run.model |= {"profit": shop.as_dict()}
    run.save(update_fields=["model"])
    return run


def of(customer, run):
    return worth.of_customer(Score.objects.get(run=run, customer_id=customer.pk), run=run)


def words(response):
    return " ".join(response.content.decode().split())


class TestCustomer:
    def test_profit_and_what_is_ahead_add_up(self):
        customer = make_customer()
        found = of(customer, night(score(customer, **COSTS))).worth
        assert (found.margin_cents, found.taken_off, found.profit_cents) == (16_000, (-5_000, -1_500), 9_500)
        year = found.ahead[0]
        assert (year.margin_cents, year.costs_cents, year.total_cents) == (20_000, 800, 9_500 + 20_000 - 800)

    def test_longer_horizons_bring_more_of_both(self):
        customer = make_customer()
        row = score(customer, **COSTS, clv_36m_cents=30_000, clv_lifetime_cents=50_000)
        found = of(customer, night(row)).worth
        assert [one.margin_cents for one in found.ahead] == [20_000, 30_000, 50_000]
        assert [one.costs_cents for one in found.ahead] == [800, 1_200, 2_000]
        assert [one.total_cents for one in found.ahead] == [28_700, 38_300, 57_500]

    def test_a_night_from_before_tells_no_longer_horizons(self):
        customer = make_customer()
        assert len(of(customer, night(score(customer))).worth.ahead) == 1

    def test_costs_of_longer_horizons_follow_the_margin(self):
        assert profit.costs_ahead(costs_year=8.0, margin_year=200.0, margin=500.0) == 20.0
        assert profit.costs_ahead(costs_year=8.0, margin_year=0.0, margin=0.0) == 8.0

    def test_the_formula_and_its_factors(self):
        customer = make_customer()
        row = score(customer, value_cents=40_000, orders=4, age_days=730, last_age_days=20)
        found = of(customer, night(row)).worth.formula
        assert (found.order_value_cents, found.frequency, found.lifespan, found.margin_rate) == (10_000, 2.0, 4.0, 0.5)
        assert found.value_cents == 10_000 * 2 * 4 * 0.5

    @pytest.mark.parametrize("shop", [profit.Shop(None, None, 0.4, 0.0, 0.0), None])
    def test_a_young_shop_and_a_night_from_before_have_no_formula(self, shop):
        customer = make_customer()
        run = night(score(customer), shop=shop) if shop else make_night(score(customer))
        assert of(customer, run).worth.formula is None

    def test_what_is_missing(self):
        customer = make_customer()
        found = of(customer, night(score(customer, acquisition_cents=20_000))).worth
        assert (found.profit_cents, found.to_go_cents) == (-4_000, 4_000)

    def test_yen_have_no_cents(self):
        make_business(currency="JPY")
        customer = make_customer()
        run = night(score(customer, value_cents=4_000, orders=4, age_days=365))
        run.settings = run.settings | {"currency": "JPY"}
        assert of(customer, run).worth.formula.order_value_cents == 1_000


class TestSegment:
    def test_the_sums_are_those_of_the_members(self):
        one, other, outside = (make_customer() for _ in range(3))
        segment = Segment.objects.create(scheme="needs", slug="gifts", name="Gifts")
        for customer in (one, other):
            Membership.objects.create(customer=customer, scheme="needs", segment=segment, changed_on=date(2026, 1, 1))
        rows = [
            score(one, **COSTS, profitable_on=date(2026, 1, 1), age_days=730, orders=4, value_cents=40_000),
            score(other, **COSTS, age_days=365, orders=2, order_days=2, value_cents=50_000),
            score(outside, **COSTS),
        ]
        found = worth.of_segment(scheme="needs", slug="gifts", run=night(*rows))
        assert (found.worth.customers, found.profitable, found.profitable_share) == (2, 1, 0.5)
        assert (found.worth.margin_cents, found.worth.profit_cents) == (32_000, 19_000)
        assert found.worth.ahead[0].total_cents == 19_000 + 40_000 - 1_600
        formula = found.worth.formula
        assert (formula.order_value_cents, formula.frequency) == (15_000, 2.0)

    def test_nobody_and_somebody_without_orders(self):
        Segment.objects.create(scheme="needs", slug="gifts", name="Gifts")
        gone = make_customer()
        run = night(score_of_nobody(gone))
        assert worth.of_segment(scheme="needs", slug="gifts", run=run).worth.customers == 0
        found = worth.of_many(Score.objects.filter(run=run), run=run)
        assert (found.worth.customers, found.worth.formula, found.profitable_share) == (1, None, 0.0)


class TestPages:
    def test_the_customer_s_page_says_when_and_how_much(self, desk):
        customer = make_customer()
        Profit.objects.create(
            customer_id=customer.pk, acquired_on=date(2025, 3, 4), channel="ads", margin_cents=0, cost_cents=0,
            acquisition_cents=0, other_cents=0,
        )  # fmt: skip
        night(score(customer, **COSTS, profitable_on=date(2025, 4, 2)))
        page = words(desk.get(f"/customers/{customer.pk}/"))
        assert "Profitable since April 2, 2025." in page or "Profitable since 2 April 2025." in page
        assert "Ads, March 2025" in page
        assert "−$50.00" in page
        assert "$95.00" in page
        assert "?year=2025" in page

    def test_what_is_to_go(self, desk):
        customer = make_customer()
        night(score(customer, acquisition_cents=20_000))
        assert "$40.00 to go until the costs are covered." in words(desk.get(f"/customers/{customer.pk}/"))

    def test_a_customer_without_a_night_and_one_without_orders(self, desk):
        customer, gone = make_customer(), make_customer()
        assert "The next night counts profit" in words(desk.get(f"/customers/{customer.pk}/"))
        night(score_of_nobody(gone))
        assert "No order stands." in words(desk.get(f"/customers/{gone.pk}/"))

    def test_a_segment_s_sums_are_loaded_after_its_page(self, viewer):
        customer = make_customer()
        segment = Segment.objects.create(scheme="rfm", slug="champions", name="Champions")
        Membership.objects.create(customer=customer, scheme="rfm", segment=segment, changed_on=date(2026, 1, 1))
        night(score(customer, **COSTS, profitable_on=date(2026, 1, 1)))
        address = "/segments/rfm/champions/profit/"
        assert address in words(viewer.get("/segments/champions/"))
        part = words(viewer.get(address, headers={"HX-Request": "true"}))
        assert part.startswith("<section")
        assert "1 customer has paid for all that was spent: 100%." in part
        assert "<h1>Champions</h1>" in words(viewer.get(address))

    def test_no_segment_and_no_night(self, viewer):
        assert viewer.get("/segments/rfm/champions/profit/").status_code == 404
        Segment.objects.create(scheme="rfm", slug="champions", name="Champions")
        assert viewer.get("/segments/rfm/champions/profit/").status_code == 404
