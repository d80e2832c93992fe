"""Key figures and cohorts over HTTP."""

from datetime import date

import pytest

from analytics import definitions
from analytics.services import baskets, cohorts, period_counts, totals
from customers.models import AcquisitionCost
from tests.api.callers import caller
from tests.desk import AS_OF, make_night, score
from tests.factories import make_customer, make_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(db):
    return caller("analytics:read")


@pytest.fixture
def shop(db):
    """Two customers of January by web, who cost 30.00 together; one of them comes again in March."""
    anna, bob = make_customer(), make_customer()
    for customer, day in ((anna, date(2026, 1, 10)), (bob, date(2026, 1, 20)), (anna, date(2026, 3, 15))):
        make_order(customer=customer, day=day, value_cents=10_000, margin_cents=1_000, channel="web")
    AcquisitionCost.objects.create(channel="web", month=date(2026, 1, 1), amount_cents=3_000)
    make_night(score(anna), score(bob))
    totals.refresh()
    baskets.refresh(as_of=AS_OF)
    cohorts.refresh(as_of=AS_OF)
    period_counts.refresh(as_of=AS_OF, active_days=90)


class TestKpis:
    def test_it_works(self, api, shop):
        answer = api.get("/api/v1/kpis/?days=30").json()
        assert (answer["as_of"], answer["days"]) == (AS_OF.isoformat(), 30)
        rows = {row["slug"]: row for row in answer["results"]}
        assert list(rows) == list(definitions.KPIS)
        assert rows["retention"] == {
            "slug": "retention",
            "name": "Retention rate",
            "unit": "share",
            "value": "1.000000",
            "before": "1.000000",
            "reason": "",
        }
        assert (rows["order-value"]["unit"], rows["order-value"]["value"]) == ("money", "100.00")
        assert rows["lifespan"]["reason"] == "nobody left in these days"

    def test_ninety_days_unless_asked(self, api, shop):
        assert api.get("/api/v1/kpis/").json()["days"] == 90
        assert api.get("/api/v1/kpis/?days=").json()["days"] == 90

    def test_before_the_first_night(self, api):
        assert api.get("/api/v1/kpis/").json() == {"as_of": None, "days": 90, "results": []}

    def test_another_period_is_refused(self, api):
        answer = api.get("/api/v1/kpis/?days=31")
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["attr"] == "days"

    def test_another_scope_is_refused(self, shop):
        assert caller("orders").get("/api/v1/kpis/").status_code == 403


class TestCohorts:
    def test_it_works(self, api, shop):
        answer = api.get("/api/v1/cohorts/").json()
        (row,) = answer["results"]
        months = row.pop("months")
        assert row == {
            "cohort": "2026-01",
            "name": "Jan 2026",
            "customers": 2,
            "acquisition_cost_per_customer": "15.00",
            "payback_month": 2,
        }
        assert months[2] == {
            "month": 2,
            "is_complete": True,
            "customers": 2,
            "retention": "0.500000",
            "orders_per_customer": "1.500000",
            "margin_per_customer": "15.00",
        }

    def test_by_channel(self, api, shop):
        (row,) = api.get("/api/v1/cohorts/?rows=channel&months=36").json()["results"]
        assert (row["cohort"], row["customers"]) == ("web", 2)

    def test_before_the_first_night(self, api):
        assert api.get("/api/v1/cohorts/").json() == {"as_of": None, "results": []}

    def test_other_rows_are_refused(self, api):
        assert api.get("/api/v1/cohorts/?rows=weekday").status_code == 400
        assert api.get("/api/v1/cohorts/?measure=margin").status_code == 400
