"""The segments of every scheme on one page: counts, history, moves, members, filters, for whom."""

import csv
import io
from datetime import timedelta

import pytest
from django.utils import timezone

from analytics import schemes
from crm import groups
from customers.models import Category, Membership, Segment
from customers.services import tags
from tests.desk import AS_OF, make_night, noon, score
from tests.factories import make_customer

pytestmark = pytest.mark.django_db
BEFORE = AS_OF - timedelta(days=1)


@pytest.fixture
def people():
    return {name: make_customer(name=name) for name in ("Ana", "Bo", "Cy", "Dot")}


@pytest.fixture
def tea():
    return Category.objects.create(name="Tea")


@pytest.fixture
def nights(people, tea):
    """Ana stays A, Bo comes, Cy goes to B, Dot is new and buys tea."""
    old = make_night(
        score(people["Ana"], value_tier=1, clv_cents=50_000),
        score(people["Bo"], value_tier=2),
        score(people["Cy"], value_tier=1, clv_cents=30_000),
        as_of=BEFORE,
    )
    new = make_night(
        score(people["Ana"], value_tier=1, clv_cents=60_000),
        score(people["Bo"], value_tier=1, clv_cents=20_000, churn_band=3),
        score(people["Cy"], value_tier=2, clv_cents=9_000, churn_band=2),
        score(people["Dot"], value_tier=3, main_category=tea.pk, clv_cents=1_000),
    )
    return old, new


def tag(name, *customers, at=None):
    segment = tags.find_or_make(name=name)
    tags.add(segment=segment, customer_ids=[one.pk for one in customers], by=None, at=at or timezone.now())
    return segment


def names(rows):
    return [row.name for row in rows]


class TestScheme:
    def test_it_works(self, desk, nights):
        answer = desk.get("/segments/by/value/")
        assert [(one.name.slug, one.customers, one.clv_cents) for one in answer.context["states"]] == [
            ("a", 2, 80_000), ("b", 1, 9_000), ("c", 1, 1_000)
        ]  # fmt: skip
        page = answer.content.decode()
        assert 'href="/segments/by/value/a/"' in page
        assert 'href="/customers/?value=a"' in page

    @pytest.mark.parametrize("scheme", [scheme.slug for scheme in schemes.ALL])
    def test_each_has_a_page(self, desk, nights, scheme):
        assert desk.get(f"/segments/by/{scheme}/").status_code == 200

    def test_the_rule_tells_the_shops_figures(self, desk, people):
        found = {"tier_a": 137.0, "tier_b": 44.0, "gap_days": 20.0}
        make_night(score(people["Ana"]), model={"schemes": found})
        assert "A begins at $137 a customer, B at $44." in desk.get("/segments/by/value/").content.decode()
        assert "usual gap is 20 days" in desk.get("/segments/by/tenure/").content.decode()

    def test_categories_come_in_the_order_of_their_value(self, desk, people, tea):
        cups = Category.objects.create(name="Cups")
        make_night(score(people["Ana"], main_category=cups.pk, clv_cents=1), score(people["Bo"], main_category=tea.pk))
        states = desk.get("/segments/by/preference/").context["states"]
        assert [one.name.label for one in states] == ["Tea", "Cups"]

    def test_without_categories_or_tags_the_page_says_what_to_do(self, desk, people):
        make_night(score(people["Ana"]))
        assert "No categories yet" in desk.get("/segments/by/preference/").content.decode()
        assert "No tags yet" in desk.get("/segments/by/needs/").content.decode()

    def test_a_night_from_before_the_schemes(self, desk, people):
        run = make_night(score(people["Ana"]))
        del run.stats["schemes"]
        run.save(update_fields=["stats"])
        assert [one.customers for one in desk.get("/segments/by/value/").context["states"]] == [0, 0, 0]
        assert desk.get("/segments/by/value/a/").context["history"].points == []

    def test_an_unknown_scheme_is_not_found(self, desk, nights):
        assert desk.get("/segments/by/weather/").status_code == 404

    def test_before_the_first_night(self, desk):
        assert "No segments yet" in desk.get("/segments/by/value/").content.decode()

    def test_queries(self, desk, nights, django_assert_num_queries):
        with django_assert_num_queries(6):  # business, session, user, run, sizes; average
            desk.get("/segments/by/value/")


class TestGroup:
    def test_it_works(self, desk, nights):
        answer = desk.get("/segments/by/value/a/")
        assert names(answer.context["best"]) == ["Ana", "Bo"]
        assert [point.customers for point in answer.context["history"].points] == [2, 2]
        assert answer.context["state"].at_risk_cents == 20_000
        assert "who together bring 80%" in answer.content.decode()

    def test_a_category_has_a_page(self, desk, nights, tea):
        answer = desk.get(f"/segments/by/preference/c{tea.pk}/")
        assert names(answer.context["best"]) == ["Dot"]

    def test_rfm_answers_here_too(self, desk, nights):
        assert desk.get("/segments/by/rfm/champions/").status_code == 200

    @pytest.mark.parametrize("address", ["value/d", "preference/c0", "needs/nothing", "weather/a"])
    def test_an_unknown_segment_is_not_found(self, desk, nights, address):
        assert desk.get(f"/segments/by/{address}/").status_code == 404

    def test_queries(self, desk, nights, django_assert_num_queries):
        with django_assert_num_queries(10):
            desk.get("/segments/by/value/a/")


class TestMoves:
    def test_it_works(self, desk, nights):
        moves = desk.get("/segments/by/value/a/moves/").context["moves"]
        assert [(move.source.slug, move.customers) for move in moves.came.moves] == [("b", 1)]
        assert [(move.target.slug, move.customers) for move in moves.went.moves] == [("b", 1)]
        assert (names(moves.came.people), names(moves.went.people)) == (["Bo"], ["Cy"])

    def test_who_was_not_there_came_from_nowhere(self, desk, nights):
        moves = desk.get("/segments/by/value/c/moves/").context["moves"]
        assert [(move.source, move.customers) for move in moves.came.moves] == [(None, 1)]

    def test_tags_are_judged_by_when_they_were_given_and_taken(self, desk, nights, people):
        segment = tag("Vegan", people["Ana"], people["Bo"], at=noon(BEFORE - timedelta(days=5)))
        tags.remove(segment_id=segment.pk, customer_ids=[people["Bo"].pk], at=noon(AS_OF))
        tag("Vegan", people["Cy"], at=noon(AS_OF))
        moves = desk.get("/segments/by/needs/vegan/moves/").context["moves"]
        assert (names(moves.came.people), names(moves.went.people)) == (["Cy"], ["Bo"])


class TestExport:
    def rows(self, desk, address):
        answer = desk.get(f"/segments/by/{address}/export/")
        return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))

    @pytest.fixture(autouse=True)
    def may_export(self, manager):
        manager.may_export = True
        manager.save(update_fields=["may_export"])

    def test_it_works(self, desk, nights, people):
        a, b = (Segment.objects.create(scheme="value", slug=slug, name=slug.upper()) for slug in "ab")
        Membership.objects.create(customer=people["Bo"], scheme="value", segment=a, previous=b, changed_on=AS_OF)
        rows = self.rows(desk, "value/a")
        assert [(row["name"], row["segment"], row["previous_segment"], row["changed_on"]) for row in rows] == [
            ("Ana", "A", "", ""), ("Bo", "A", "B", "2026-03-31")
        ]  # fmt: skip

    def test_a_tag_whose_name_is_a_formula_is_no_formula_in_a_file(self, desk, nights, people):
        tag("=cmd()", people["Ana"])
        assert [row["segment"] for row in self.rows(desk, "needs/cmd")] == ["'=cmd()"]

    def test_a_viewer_may_not(self, client, viewer, nights):
        client.force_login(viewer)
        assert client.get("/segments/by/value/a/export/").status_code == 403


class TestList:
    @pytest.mark.parametrize(
        ("query", "found"),
        [("value=a", ["Ana", "Bo"]), ("value=a&value=b", ["Ana", "Bo", "Cy"]), ("tenure=newcomers", [])],
    )
    def test_customers_by_a_kind(self, desk, nights, query, found):
        assert names(desk.get(f"/customers/?{query}").context["listing"].rows) == found

    def test_customers_by_a_tag(self, desk, nights, people):
        tag("Vegan", people["Cy"], people["Dot"])
        tag("Gifts", people["Bo"])
        assert names(desk.get("/customers/?needs=vegan").context["listing"].rows) == ["Cy", "Dot"]
        assert names(desk.get("/customers/?needs=vegan&value=b").context["listing"].rows) == ["Cy"]
        assert "Needs" in desk.get("/customers/?needs=vegan").content.decode()

    def test_customers_by_a_category(self, desk, nights, tea):
        assert names(desk.get(f"/customers/?preference=c{tea.pk}").context["listing"].rows) == ["Dot"]


def test_a_customers_page_names_her_segments(desk, nights, people, tea):
    a, b = (Segment.objects.create(scheme="value", slug=slug, name=slug.upper()) for slug in "ab")
    Membership.objects.create(customer=people["Bo"], scheme="value", segment=a, previous=b, changed_on=AS_OF)
    page = desk.get(f"/customers/{people['Bo'].pk}/").content.decode()
    assert 'href="/segments/by/value/a/"' in page
    assert "before: B" in page


def test_every_scheme_has_colours_for_its_kinds():
    for scheme in (schemes.RFM, *schemes.COMPUTED):
        assert len({group.hue for group in groups.of(scheme)}) == len(scheme.kinds)
        assert all(group.definition for group in groups.of(scheme))
