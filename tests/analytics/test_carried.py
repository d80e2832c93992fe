"""Columns carried from one step to another: the same bits come out, or nothing, and then a night is the same too."""

import numpy as np
import pytest
from django.db import connection

from analytics.services import carried, codes, partitions, scoring
from core.models import Run
from customers.models import Membership
from tests import nights
from tests.nights import AS_OF, DAY, pass_night, score_rows

pytestmark = pytest.mark.django_db(transaction=True)
TYPES = {"customer_id": "int8", "on": "date", "kind": "int2", "share": "float8"}
TABLE = "analytics_try_of_run_1"


@pytest.fixture
def table():
    carried.create(TABLE)
    yield TABLE
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {TABLE}")


def columns(*ids):
    return {
        "customer_id": np.array(ids, np.int64),
        "on": np.array(ids, np.int32) - 10_000,
        "kind": -np.array(ids, np.int16),
        "share": np.array(ids) / 3,
    }


def test_what_was_put_is_taken_in_order(table):
    carried.put(table, columns(5, 7), TYPES, first=5)
    carried.put(table, columns(1, 2, 3), TYPES, first=1)
    found = carried.take(table, TYPES, firsts=[1, 5])
    assert {name: found[name].tolist() for name in TYPES} == {k: v.tolist() for k, v in columns(1, 2, 3, 5, 7).items()}
    assert found["kind"].dtype == np.int16


def test_a_part_is_nothing(table):
    carried.put(table, columns(1), TYPES, first=1)
    assert carried.take(table, TYPES, firsts=[1, 5]) is None


def test_nobody_is_somebody(table):
    carried.put(table, columns(), TYPES, first=0)
    assert carried.take(table, TYPES, firsts=[0])["share"].size == 0


def test_other_columns_are_nothing(table):
    """Another version of the program carries others."""
    carried.put(table, columns(1), TYPES, first=1)
    assert carried.take(table, TYPES | {"kind": "int4", "more": "int8"}, firsts=[1]) is None


def test_without_a_table_there_is_nothing():
    assert carried.take("analytics_try_of_run_2", TYPES, firsts=[1]) is None


def test_joined_is_a_left_join():
    found = carried.joined(np.array([1, 2, 5, 9]), columns(2, 3, 5), {"kind": 100})
    assert found["kind"].tolist() == [100, -2, -5, 100]
    assert carried.joined(np.array([1, 2]), columns(), {"kind": 100})["kind"].tolist() == [100, 100]


class TestNight:
    def people(self):
        return list(Membership.objects.order_by("customer_id", "scheme").values_list())

    def lose(self, run):
        """As a crash of PostgreSQL does it."""
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {codes.table_of(run.pk)}")

    def test_without_what_was_carried_it_is_the_same(self, monkeypatch):
        monkeypatch.setattr(scoring, "SHARD_ROWS", 7)
        nights.make_random_shop(1, customers=40)
        before = pass_night()
        told = score_rows(pass_night(AS_OF + DAY))
        people = [row[1:] for row in self.people()]
        Run.objects.update(settings={})
        self.lose(before)
        monkeypatch.setattr(carried, "take", lambda *args, **told: None)
        again = pass_night(AS_OF + DAY)
        assert (again.revision, score_rows(again)) == (2, told)
        assert [row[1:] for row in self.people()] == people

    def test_the_codes_of_a_night_are_those_of_its_scores(self, monkeypatch):
        monkeypatch.setattr(scoring, "SHARD_ROWS", 7)
        nights.make_random_shop(1, customers=40)
        run = pass_night()
        kept = codes.of_run(run.pk)
        part = codes.of_run(run.pk, first=int(kept["customer_id"][3]), last=int(kept["customer_id"][15]))
        self.lose(run)
        read = codes.of_run(run.pk)
        for name in codes.TYPES:
            assert kept[name].tolist() == read[name].tolist()
            assert part[name].tolist() == read[name].tolist()[3:16]

    def test_only_the_codes_that_the_next_night_needs_stay(self):
        nights.make_random_shop(1)
        runs = [pass_night(AS_OF + number * DAY) for number in range(6)]
        assert not partitions.runs_with(scoring.CARRIED)
        assert runs[-1].pk in partitions.runs_with(codes.PREFIX)
        assert len(partitions.runs_with(codes.PREFIX)) <= 4
