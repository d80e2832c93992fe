"""Scores, segments and jobs over HTTP: what the current night says, and what works in the background."""

from datetime import date

import pytest
from django.utils import timezone

from analytics.models import Score
from analytics.scores import Name
from core.models import Job
from core.models.job import Progress
from tests.api.callers import caller, codes
from tests.desk import AS_OF, make_night, score, score_of_nobody
from tests.factories import make_customer

pytestmark = pytest.mark.django_db


COSTS = {
    "acquisition_cents": 2_000,
    "cost_cents": 1_500,
    "expected_cost_cents": 800,
    "clv_36m_cents": 180_000,
    "textbook_cents": 32_000,
    "profitable_on": date(2026, 1, 5),
}


@pytest.fixture
def api(db):
    return caller("analytics:read")


@pytest.fixture
def people(db):
    people = [make_customer(external_id=name) for name in ("ana", "bo", "cy", "dot")]
    ana, bo, cy, dot = people
    make_night(
        score(ana, clv_cents=90_000, churn_risk=0.1234567, **COSTS),
        score(bo, clv_cents=50_000, churn_risk=0.8, churn_band=3, segment=Name.CANT_LOSE),
        score(cy, clv_cents=10_000, churn_risk=0.5, churn_band=2, segment=Name.NEW),
        score_of_nobody(dot, order_days=0),
    )
    return people


class TestScores:
    def test_it_works(self, api, people):
        rows = api.get("/api/v1/scores/").json()["results"]
        assert [row["external_id"] for row in rows] == ["ana", "bo", "cy", "dot"]
        assert rows[0] == {
            "customer": str(people[0].pk),
            "source": "shop",
            "external_id": "ana",
            "as_of": AS_OF.isoformat(),
            "orders": 4,
            "order_days": 4,
            "first_order_at": "2025-09-12T12:00:00Z",
            "last_order_at": "2026-03-11T12:00:00Z",
            "age_days": 200,
            "p_alive": 0.9,
            "churn_risk": 0.123457,
            "churn_band": "low",
            "expected_orders_12m": 6.0,
            "expected_margin_per_order": "40.00",
            "clv_12m": "900.00",
            "clv_12m_low": None,
            "clv_12m_high": None,
            "clv_historic": "160.00",
            "acquisition_cost": "20.00",
            "cost_to_serve": "15.00",
            "profit": "125.00",
            "profitable_on": "2026-01-05",
            "expected_costs_12m": "8.00",
            "clv_36m": "1800.00",
            "clv_lifetime": None,
            "contracts_12m": "0.00",
            "contracts_36m": "0.00",
            "contracts_lifetime": "0.00",
            "total_value_12m": "1017.00",
            "total_value_36m": "1909.00",
            "total_value_lifetime": None,
            "clv_textbook": "320.00",
            "segment": "champions",
            "model": "MBG/NBD",
        }
        assert (rows[3]["clv_12m"], rows[3]["segment"], rows[3]["model"]) == (None, None, "")

    def test_one_is_the_same_as_in_the_list(self, api, people):
        rows = api.get("/api/v1/scores/").json()["results"]
        assert api.get(f"/api/v1/scores/{people[1].pk}/").json() == rows[1]

    def test_the_list_is_filtered(self, api, people):
        asked = {
            "segment=cant-lose": ["bo"],
            "churn_band=high": ["bo"],
            "churn_risk_min=0.5": ["bo", "cy"],
            "clv_min=500": ["ana", "bo"],
            "segment=new&clv_min=500": [],
        }
        for query, expected in asked.items():
            rows = api.get(f"/api/v1/scores/?{query}").json()["results"]
            assert [row["external_id"] for row in rows] == expected, query

    def test_pages_go_on(self, api, people):
        page = api.get("/api/v1/scores/?limit=3").json()
        rest = api.get(page["next"].removeprefix("http://testserver")).json()
        assert [row["external_id"] for row in rest["results"]] == ["dot"]

    def test_before_the_first_night_there_are_none(self, api):
        somebody = make_customer()
        assert api.get("/api/v1/scores/").json()["results"] == []
        assert api.get(f"/api/v1/scores/{somebody.pk}/").status_code == 404

    def test_bad_parameters_are_named(self, api):
        assert codes(api.get("/api/v1/scores/?segment=x&churn_risk_min=x")) == {
            "segment": "invalid_choice",
            "churn_risk_min": "invalid",
        }

    def test_a_key_without_the_scope_gets_403(self, people):
        for url in ("/api/v1/scores/", f"/api/v1/scores/{people[0].pk}/", "/api/v1/segments/"):
            assert caller("customers", "orders").get(url).status_code == 403

    def test_queries(self, api, people, django_assert_num_queries):
        api.get("/api/v1/scores/")
        with django_assert_num_queries(5):
            api.get("/api/v1/scores/")


class TestSegments:
    def test_it_works(self, api, people):
        rows = api.get("/api/v1/segments/").json()["results"]
        found = {(row["scheme"], row["slug"]): row for row in rows}
        assert len(rows) == len(found) == 10 + 3 + 3 + 4 + 4
        assert found["rfm", "cant-lose"] == {
            "scheme": "rfm",
            "slug": "cant-lose",
            "name": "Can't lose",
            "as_of": AS_OF.isoformat(),
            "customers": 1,
            "share": 0.25,
            "clv_12m": "500.00",
            "value_share": 0.333333,
            "risk": {"low": 0, "medium": 0, "high": 1},
        }

    def test_members(self, api, people):
        page = api.get("/api/v1/segments/cant-lose/members/").json()
        assert [row["external_id"] for row in page["results"]] == ["bo"]
        assert api.get("/api/v1/segments/cant-lose/members/?clv_min=501").json()["results"] == []

    def test_members_of_another_scheme(self, api, people):
        Score.objects.filter(customer=people[1]).update(tenure=3)
        page = api.get("/api/v1/segments/tenure/long-standing/members/").json()
        assert [row["id"] for row in page["results"]] == [str(people[1].pk)]
        assert api.get("/api/v1/segments/tenure/rich/members/").status_code == 404
        assert api.get("/api/v1/segments/weather/fair/members/").status_code == 404

    def test_the_address_decides_the_segment(self, api, people):
        answer = api.get("/api/v1/segments/cant-lose/members/?segment=new")
        assert codes(answer) == {"segment": "unknown_parameter"}

    def test_an_unknown_one_is_404(self, api, people):
        assert api.get("/api/v1/segments/rich/members/").status_code == 404

    def test_before_the_first_night(self, api):
        assert api.get("/api/v1/segments/").json() == {"next": None, "previous": None, "results": []}
        make_customer()
        assert api.get("/api/v1/segments/new/members/").json()["results"] == []


class TestJobs:
    def make(self, **fields):
        return Job.objects.create(**{"step": "import", "ready_at": timezone.now()} | fields)

    @pytest.fixture
    def api(self, db):
        return caller("admin:read")

    def test_it_works(self, api):
        job = self.make(done=3, total=7)
        assert api.get(f"/api/v1/jobs/{job.pk}/").json() == {
            "id": str(job.pk),
            "step": "import",
            "run": None,
            "state": "ready",
            "done": 3,
            "total": 7,
            "started_at": None,
            "finished_at": None,
            "error": "",
        }

    def test_what_it_tells_while_it_works_comes_first(self, api):
        job = self.make()
        Progress.objects.create(job=job, done=40, total=100)
        found = api.get(f"/api/v1/jobs/{job.pk}/").json()
        assert (found["done"], found["total"]) == (40, 100)

    def test_the_list_is_filtered(self, api):
        dead, ready = self.make(state="dead", error="No space."), self.make(step="export")
        for query, expected in {"": [ready, dead], "state=dead": [dead], "step=export": [ready]}.items():
            rows = api.get(f"/api/v1/jobs/?{query}").json()["results"]
            assert [row["id"] for row in rows] == [str(job.pk) for job in expected]

    def test_only_keys_of_admins_see_them(self):
        assert caller("customers", "orders", "analytics").get("/api/v1/jobs/").status_code == 403
