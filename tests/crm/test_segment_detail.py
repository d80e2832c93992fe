"""A segment's page: its size, value and risk on every night, who came and went, and its members as a file."""

import csv
import io
from datetime import timedelta

import pytest

from analytics import schemes
from analytics.scores import Name
from crm import groups
from crm.selectors import segment_history
from customers.models import Customer
from tests.desk import AS_OF, make_night, score, score_of_nobody
from tests.factories import make_customer

pytestmark = pytest.mark.django_db
BEFORE = AS_OF - timedelta(days=1)
MONTH_AGO = AS_OF - timedelta(days=40)


@pytest.fixture
def people():
    return {name: make_customer(name=name) for name in ("Ana", "Bo", "Cy", "Dot", "Eve")}


@pytest.fixture
def nights(people):
    """Ana stays a champion, Bo comes, Cy goes, Dot's every order comes back, Eve is new and no champion."""
    old = make_night(
        score(people["Ana"], clv_cents=50_000),
        score(people["Bo"], segment=Name.LOYAL),
        score(people["Cy"], clv_cents=30_000),
        score(people["Dot"], clv_cents=10_000),
        as_of=BEFORE,
    )
    new = make_night(
        score(people["Ana"], clv_cents=60_000),
        score(people["Bo"], clv_cents=20_000, churn_band=3),
        score(people["Cy"], segment=Name.AT_RISK, clv_cents=9_000, churn_band=2),
        score_of_nobody(people["Dot"]),
        score(people["Eve"], segment=Name.NEW),
    )
    return old, new


def names(rows):
    return [row.name for row in rows]


class TestPage:
    def test_it_works(self, desk, nights):
        answer = desk.get("/segments/champions/")
        page = answer.content.decode()
        assert names(answer.context["best"]) == ["Ana", "Bo"]
        assert "Bought lately and often." in page
        assert "/segments/champions/moves/?days=90" in page

    def test_its_figures_lead_to_what_they_mean(self, desk, nights):
        page = desk.get("/segments/champions/").content.decode()
        for label, slug in {"Predicted value": "clv", "Average CLV": "clv", "High risk": "risk"}.items():
            assert f'<a href="/kpis/{slug}/">{label}</a>' in page
            assert desk.get(f"/kpis/{slug}/").status_code == 200

    def test_nobody(self, desk, nights):
        assert "Nobody is here" in desk.get("/segments/hibernating/").content.decode()

    def test_an_unknown_segment_is_not_found(self, desk, nights):
        assert desk.get("/segments/platinum/").status_code == 404

    def test_before_the_first_night(self, desk):
        assert "No segments yet" in desk.get("/segments/new/").content.decode()

    def test_queries(self, desk, nights, django_assert_num_queries):
        with django_assert_num_queries(10):
            desk.get("/segments/champions/")


class TestOverTime:
    def history(self, name=Name.CHAMPIONS, days=90):
        return segment_history.of_segment(groups.find(schemes.RFM, name.slug), until=AS_OF, days=days)

    def test_it_works(self, nights):
        first, last = self.history().points
        assert (first.as_of, first.customers, first.clv_cents, first.at_risk) == (BEFORE, 3, 90_000, 0)
        assert (last.as_of, last.customers, last.clv_cents, last.at_risk) == (AS_OF, 2, 80_000, 1)
        assert (last.at_risk_cents, last.at_risk_share) == (20_000, 0.5)
        assert self.history().change == -1

    def test_a_segment_that_was_empty_has_zeros(self, nights):
        first, last = self.history(Name.NEW).points
        assert (first.customers, first.at_risk_share, last.customers) == (0, None, 1)

    def test_the_newest_revision_of_a_date_counts(self, nights, people):
        make_night(score(people["Ana"]), as_of=BEFORE, revision=2, is_current=False)
        assert [point.customers for point in self.history().points] == [1, 2]

    def test_a_run_that_was_not_published_is_no_point(self, nights, people):
        make_night(score(people["Ana"]), as_of=AS_OF - timedelta(days=2), is_current=False, published_at=None)
        assert len(self.history().points) == 2

    def test_the_period(self, nights, people):
        make_night(score(people["Ana"]), as_of=MONTH_AGO, is_current=False)
        assert [len(self.history(days=days).points) for days in (30, 90, 0)] == [2, 3, 3]

    def test_the_table_has_every_night_with_its_change(self, desk, nights):
        page = " ".join(desk.get("/segments/champions/").content.decode().split())
        assert "−1" in page
        assert page.index("31 March 2026</td>") < page.index("30 March 2026</td>")


class TestGaps:
    def gaps(self, *days):
        points = [
            segment_history.Point(
                as_of=AS_OF + timedelta(days=day), customers=1, clv_cents=0, at_risk=0, at_risk_cents=0
            )
            for day in days
        ]
        return [
            ((first - AS_OF).days, (last - AS_OF).days) for first, last in segment_history.History(points=points).gaps
        ]

    def test_missed_nights_are_named(self):
        assert self.gaps(0, 1, 4, 5, 6, 8) == [(2, 3), (7, 7)]

    def test_none_missed(self):
        assert self.gaps(0, 1, 2, 3) == []

    def test_the_month_ends_of_a_young_history_are_no_gaps(self):
        assert self.gaps(-60, -30, 0, 1, 2) == []


class TestMoves:
    def test_it_works(self, desk, nights):
        moves = desk.get("/segments/champions/moves/").context["moves"]
        assert [(move.source.slug, move.customers) for move in moves.came.moves] == [("loyal", 1)]
        gone, weaker = moves.went.moves
        assert (gone.target, gone.customers, weaker.target.slug, weaker.customers) == (None, 1, "at-risk", 1)
        assert (moves.came.customers, moves.went.customers) == (1, 2)
        assert names(moves.came.people) == ["Bo"]
        assert names(moves.went.people) == ["Cy"]  # nothing is predicted of Dot

    def test_who_was_not_there_before_is_new_to_the_list(self, desk, nights):
        answer = desk.get("/segments/new/moves/")
        assert "New to the list" in answer.content.decode()
        assert names(answer.context["moves"].came.people) == ["Eve"]

    def test_over_a_period_it_compares_its_two_ends(self, desk, nights, people):
        """Cy and Dot were no champions 40 days ago and are none now: that they were in between is no move."""
        make_night(
            score(people["Ana"]),
            score(people["Bo"], segment=Name.NEW),
            score(people["Cy"], segment=Name.AT_RISK),
            as_of=MONTH_AGO,
            is_current=False,
        )
        moves = desk.get("/segments/champions/moves/?days=30").context["moves"]
        assert moves.earlier.as_of == MONTH_AGO
        assert names(moves.came.people) == ["Bo"]
        assert moves.went.customers == 0

    def test_without_a_night_that_long_ago_it_is_the_oldest_one(self, desk, nights):
        assert desk.get("/segments/champions/moves/?days=365").context["moves"].earlier.as_of == BEFORE

    def test_the_first_night_has_nothing_to_compare_with(self, desk, people):
        make_night(score(people["Ana"]))
        assert "Nothing to compare with yet" in desk.get("/segments/champions/moves/").content.decode()

    def test_htmx_gets_the_part_and_others_the_page(self, desk, nights):
        whole = desk.get("/segments/champions/moves/").content.decode()
        part = desk.get("/segments/champions/moves/", headers={"HX-Request": "true"}).content.decode()
        assert "<html" in whole
        assert "<html" not in part
        assert part.strip() in whole

    def test_before_the_first_night(self, desk):
        assert desk.get("/segments/new/moves/").status_code == 404


class TestExport:
    @pytest.fixture(autouse=True)
    def may_export(self, manager):
        manager.may_export = True
        manager.save(update_fields=["may_export"])

    def rows(self, answer):
        text = b"".join(answer.streaming_content).decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text)))

    def test_it_works(self, desk, nights, people):
        people["Ana"].emails.create(address="ana@example.com")
        Customer.objects.filter(name="Ana").update(street="=1 Quay Rd", city="Cork")
        answer = desk.get("/segments/champions/export/")
        ana, bo = self.rows(answer)
        assert answer["Content-Disposition"] == 'attachment; filename="champions-2026-03-31.csv"'
        assert (ana["name"], ana["email"], ana["clv_12m"], ana["segment"]) == (
            "Ana",
            "ana@example.com",
            "600.00",
            "Champions",
        )
        assert (ana["street"], ana["postcode"], ana["city"]) == ("'=1 Quay Rd", "", "Cork")
        assert (bo["name"], bo["email"], bo["churn_risk"]) == ("Bo", "", "0.300000")

    def test_a_name_is_no_formula(self, desk):
        make_night(score(make_customer(name="=cmd|calc")))
        assert self.rows(desk.get("/segments/champions/export/"))[0]["name"] == "'=cmd|calc"

    def test_an_empty_segment_is_a_header(self, desk, nights):
        assert self.rows(desk.get("/segments/hibernating/export/")) == []

    def test_before_the_first_night(self, desk):
        assert desk.get("/segments/new/export/").status_code == 404

    def test_the_button_is_for_those_who_may(self, desk, nights, client, viewer):
        assert "/segments/champions/export/" in desk.get("/segments/champions/").content.decode()
        client.force_login(viewer)
        assert "/segments/champions/export/" not in client.get("/segments/champions/").content.decode()
        assert client.get("/segments/champions/export/").status_code == 403
