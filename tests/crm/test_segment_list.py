"""Segments: counts of the night, moves since the one before, and links to the rows behind them."""

import re
from datetime import timedelta

import pytest

from analytics.scores import Name
from crm.selectors import segments
from tests.desk import AS_OF, make_night, score, score_of_nobody
from tests.factories import make_customer

pytestmark = pytest.mark.django_db
MOVES = {"1>1": 40, "1>2": 6, "2>1": 3, "0>4": 5, "8>10": 1, "3>0": 2}


@pytest.fixture
def night():
    return make_night(
        score(make_customer(name="Ana"), clv_cents=60_000, churn_band=1),
        score(make_customer(name="Bo"), clv_cents=20_000, churn_band=3),
        score(
            make_customer(name="Cy"),
            clv_cents=20_000,
            segment=Name.NEW,
            previous_segment=Name.NONE,
            segment_changed_on=AS_OF,
        ),
        score_of_nobody(make_customer(name="Dot")),
        moves=MOVES,
    )


def state(answer, name):
    (found,) = [one for one in answer.context["states"] if one.name.slug == name.slug]
    return found


def test_it_works(desk, night):
    answer = desk.get("/segments/")
    champions = state(answer, Name.CHAMPIONS)
    assert (champions.customers, champions.clv_cents, champions.average_cents) == (2, 80_000, 40_000)
    assert (champions.share, champions.value_share) == (0.5, 0.8)
    assert champions.risk == {"low": 1, "medium": 0, "high": 1}
    page = answer.content.decode()
    assert "$800" in page
    assert 'href="/customers/?segment=champions"' in page


def test_a_segment_without_customers_is_listed(desk, night):
    assert state(desk.get("/segments/"), Name.CANT_LOSE).customers == 0


def test_who_is_in_no_segment_is_told_so_that_the_table_adds_up(desk, night):
    rest = desk.get("/segments/").context["rest"]
    assert (rest.customers, rest.clv_cents, rest.share) == (1, 0, 0.25)
    assert desk.get("/segments/by/needs/").context["rest"] is None


def test_moves_between_the_nights(desk, night):
    migration = desk.get("/segments/").context["migration"]
    cells = {(move.source, move.target): move for _, row in migration.rows for move in row if move.customers}
    assert cells[Name.CHAMPIONS, Name.LOYAL].customers == 6
    assert cells[Name.NONE, Name.NEW].customers == 5
    assert (migration.moved, migration.stayed) == (10, 40)
    assert len(migration.rows) == 11


def test_the_most_frequent_move_is_the_darkest(night):
    cells = [move for _, row in segments.migration(night).rows for move in row]
    shades = {move.customers: move.shade for move in cells if move.customers and not move.stays}
    assert shades == {6: 10, 5: 9, 3: 5, 1: 2}
    assert all(move.shade == 0 for move in cells if move.stays)


def test_a_move_opens_its_customers(desk, night):
    page = desk.get("/segments/").content.decode()
    assert 'href="/customers/?segment=loyal&amp;left=champions"' in page
    (link,) = re.findall(r'href="(/customers/\?segment=new&amp;left=none)"', page)
    rows = desk.get(link.replace("&amp;", "&")).context["listing"].rows
    assert [row.name for row in rows] == ["Cy"]


def test_the_first_night_has_nothing_to_compare_with(desk):
    make_night(score(make_customer()), moves={"0>1": 1})
    assert "the first night" in desk.get("/segments/").content.decode()


def test_before_the_first_night(desk):
    page = desk.get("/segments/").content.decode()
    assert "No segments yet" in page
    assert "echarts" not in page


class TestOverTime:
    def test_it_works(self, desk, night):
        make_night(score(make_customer()), as_of=AS_OF - timedelta(days=1), is_current=False)
        answer = desk.get("/segments/")
        assert [(day, counts["champions"]) for day, counts in answer.context["sizes"]] == [
            (AS_OF, 2),
            (AS_OF - timedelta(days=1), 1),
        ]
        drawn = answer.context["charts"]["sizes"]
        assert drawn["days"] == ["2026-03-30", "2026-03-31"]
        assert drawn["segments"][0]["customers"] == [1, 2]

    def test_one_night_is_no_history(self, desk, night):
        assert "One night is no history yet" in desk.get("/segments/").content.decode()


def test_queries(desk, night, django_assert_num_queries):
    with django_assert_num_queries(6):
        desk.get("/segments/")
