"""The first page: figures against the period before, the state of the nights, and what an empty shop is told."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from analytics.scores import Name
from core import business
from core.models import Business, Job, Role, Run, User
from crm.selectors import today as figures
from loyalty.services import adjustments
from tests.desk import AS_OF, make_day, make_night, noon, score
from tests.factories import make_customer
from tests.loyalty.rewards import make_member, make_programme, make_reward, redeem

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    """Revenue on each of 400 days; two nights, 90 days apart."""
    for back in range(400):
        make_day(AS_OF - timedelta(days=back), value_cents=10_000 if back < 90 else 8_000)
    ana, bo = make_customer(name="Ana"), make_customer(name="Bo")
    make_night(
        score(ana, clv_cents=40_000), score(bo, clv_cents=20_000, churn_band=3), as_of=AS_OF - timedelta(days=90)
    )
    make_night(
        score(ana, clv_cents=90_000, churn_band=3, churn_risk=0.77, segment=Name.CANT_LOSE),
        score(bo, clv_cents=30_000, last_age_days=120),
    )


def kpi(desk, slug, query=""):
    (found,) = [one for one in desk.get(f"/{query}").context["page"].kpis if one.slug == slug]
    return found


def test_it_works(desk, shop):
    page = desk.get("/").content.decode()
    assert "Data through Tuesday 31 March 2026" in page
    assert "$9k" in page  # 90 days of $100
    assert "+25.0%" in page
    assert "Ana" in page
    assert "77%" in page


@pytest.mark.parametrize(
    ("slug", "amount", "before", "good"),
    [
        ("revenue", 900_000, 720_000, True),
        ("clv", 60_000, 30_000, True),
        ("active", 1, 2, False),
        ("risk", 90_000, 20_000, False),
    ],
)
def test_figures_against_the_period_before(desk, shop, slug, amount, before, good):
    found = kpi(desk, slug)
    assert (found.amount, found.before, found.is_good) == (amount, before, good)


@pytest.mark.parametrize(("query", "amount"), [("?days=30", 300_000), ("?days=365", 3_100_000), ("?days=7", 900_000)])
def test_the_period_can_be_chosen(desk, shop, query, amount):
    assert kpi(desk, "revenue", query).amount == amount


def test_without_an_earlier_night_there_is_no_change(desk):
    make_day(AS_OF)
    make_night(score(make_customer()))
    assert kpi(desk, "clv").change is None
    assert kpi(desk, "revenue").change is None


def test_sparklines_add_up_to_the_figure(desk, shop):
    found = kpi(desk, "revenue")
    assert len(found.spark) == figures.SPARK_POINTS
    assert sum(found.spark) == found.amount


def test_the_value_leads_to_its_course(desk, shop):
    assert desk.get("/").content.decode().count('href="/value/"') == 3  # figure, explanation, sidebar


def test_the_trend_has_complete_months_only(desk, shop):
    months = desk.get("/").context["page"].months
    assert months[-1].first == date(2026, 3, 1)
    assert months[-1].revenue_cents == 31 * 10_000
    assert months[-1].clv_cents == 60_000
    first = min(month.first for month in months)
    assert months[0].before_cents is None
    assert first == date(2025, 2, 1)


def test_a_month_that_is_not_over_is_left_out():
    make_day(date(2026, 3, 1))
    make_day(date(2026, 2, 1))
    assert [month.first for month in figures.trend(day=date(2026, 3, 30))] == [date(2026, 2, 1)]


def test_the_year_before_is_the_same_month():
    make_day(date(2025, 2, 3), value_cents=700)
    make_day(date(2026, 2, 27), value_cents=900)
    (last,) = [month for month in figures.trend(day=date(2026, 2, 28)) if month.first == date(2026, 2, 1)]
    assert (last.revenue_cents, last.before_cents) == (900, 700)


def test_who_is_about_to_leave_goes_by_value(desk, shop):
    make_night(
        *(score(make_customer(name=f"C{n}"), clv_cents=1_000 * n, churn_band=3) for n in range(9)),
        as_of=AS_OF + timedelta(days=1),
    )
    assert [row.name for row in desk.get("/").context["page"].leaving] == ["C8", "C7", "C6", "C5", "C4", "C3"]


def test_who_has_a_contract_and_hardly_orders_is_not_about_to_leave(desk, shop):
    make_night(
        score(make_customer(name="Ana"), clv_cents=90_000, contract_cents=89_000, churn_band=3),
        score(make_customer(name="Bo"), clv_cents=3_000, contract_cents=1_000, churn_band=3),
        as_of=AS_OF + timedelta(days=1),
    )
    assert [row.name for row in desk.get("/").context["page"].leaving] == ["Bo"]


def test_charts_speak_in_main_units(desk, shop):
    charts = desk.get("/").context["charts"]
    assert charts["trend"]["revenue"][-1] == 3100.0
    assert {row["name"]: row["value"] for row in charts["treemap"]["segments"]} == {
        "Can't lose": 900.0,
        "Champions": 300.0,
    }


class TestStates:
    def test_no_orders(self, desk):
        page = desk.get("/").content.decode()
        assert "No orders yet" in page
        assert "/imports/new/" in page

    def test_orders_but_no_night(self, desk):
        make_day(AS_OF)
        page = desk.get("/").content.decode()
        assert "the first night is not" in page
        assert page.count("Run the night now") == 2

    def test_a_viewer_is_offered_no_button(self, client, viewer):
        make_day(AS_OF)
        client.force_login(viewer)
        assert "Run the night now" not in client.get("/").content.decode()

    def test_a_running_night_shows_its_progress(self, desk, shop):
        run = Run.objects.create(as_of=AS_OF + timedelta(days=1), step="summaries", started_at=timezone.now())
        for shard, state in enumerate(["done", "claimed"]):
            end = timezone.now() if state == "done" else None
            Job.objects.create(
                run=run, step="margins", shard=shard, state=state, ready_at=timezone.now(), finished_at=end
            )
        page = desk.get("/").content.decode()
        assert "is running" in page
        assert 'hx-trigger="every 2s"' in page
        assert "Run the night now" not in page

    def test_a_failed_night_says_why(self, desk, shop):
        Run.objects.create(
            as_of=AS_OF + timedelta(days=1), state="failed", error="The disk <is> full.", started_at=timezone.now()
        )
        page = desk.get("/").content.decode()
        assert "The disk &lt;is&gt; full." in page
        assert "still those of 31 March" in page

    def test_figures_that_are_behind_say_so(self, desk, shop):
        behind = (business.last_complete_day(business=Business(), at=timezone.now()) - AS_OF).days
        assert f"{behind} days behind" in desk.get("/").content.decode()

    def test_yesterday_s_night_is_not_behind(self, desk):
        day = business.last_complete_day(business=Business(), at=timezone.now())
        make_day(day)
        make_night(score(make_customer()), as_of=day)
        assert "behind" not in desk.get("/").content.decode()


class TestWaiting:
    @pytest.fixture
    def asked(self, manager):
        """Points above the limit that the manager asked for, and a mug to hand over."""
        make_programme()
        customer, at = make_member(500, at=timezone.now()), timezone.now()
        redeem(customer, make_reward(), at=at)
        facts = {"points": 9_000, "key": "ask", "at": at, "reason": "A long story"}
        return adjustments.adjust(customer_id=customer.pk, by=manager.pk, **facts)

    @pytest.mark.parametrize(
        ("role", "slugs"), [("admin", ["approvals", "redemptions"]), ("agent", ["redemptions"]), ("viewer", [])]
    )
    def test_each_sees_what_they_may_decide(self, desk, asked, role, slugs):
        desk.force_login(User.objects.create_user(f"{role}@example.com", role=Role(role)))
        page = desk.get("/")
        assert [(one.kind.slug, one.number) for one in page.context["waiting"]] == [(slug, 1) for slug in slugs]
        assert ("/loyalty/adjustments/" in page.content.decode()) == (role == "admin")

    def test_nobody_is_asked_about_their_own(self, desk, asked):
        assert [one.kind.slug for one in desk.get("/").context["waiting"]] == ["redemptions"]


class TestNightStatus:
    def test_progress_alone(self, desk, shop):
        Run.objects.create(as_of=AS_OF + timedelta(days=1), started_at=noon(AS_OF) + timedelta(days=2))
        answer = desk.get("/night/", headers={"HX-Request": "true"})
        assert "progressbar" in answer.content.decode()
        assert "HX-Refresh" not in answer

    def test_the_end_loads_the_page_again(self, desk, shop):
        assert desk.get("/night/", headers={"HX-Request": "true"})["HX-Refresh"] == "true"

    def test_without_htmx_it_is_the_page(self, desk):
        assert desk.get("/night/").url == "/"


@pytest.mark.parametrize(("query", "queries"), [("", 15), ("?days=365", 15)])
def test_queries(desk, shop, query, queries, django_assert_num_queries):
    with django_assert_num_queries(queries):
        desk.get(f"/{query}")
