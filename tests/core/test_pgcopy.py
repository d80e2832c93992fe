"""Columns go to PostgreSQL and come back the same, NULL by NULL."""

from datetime import UTC, date, datetime

import numpy as np
import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from psycopg.errors import DivisionByZero

from core import pgcopy
from core.pgcopy import Column

pytestmark = pytest.mark.django_db
TYPES = {"a": "int2", "b": "int4", "c": "int8", "d": "float8", "e": "date", "f": "timestamptz"}


@pytest.fixture
def table():
    with connection.cursor() as cursor:
        columns = ", ".join(f"{name} {kind}" for name, kind in TYPES.items())
        cursor.execute(f"CREATE TEMP TABLE copied ({columns}) ON COMMIT DROP")
    return "copied"


def columns(count, null=None):
    numbers = np.arange(count)
    return {name: Column(kind, numbers - 2, null) for name, kind in TYPES.items()}


def fetch(query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def test_it_works(table):
    assert pgcopy.write(table, columns(5)) == 5
    found = pgcopy.read(f"SELECT * FROM {table} ORDER BY a", {}, TYPES)
    assert all(found[name].tolist() == [-2, -1, 0, 1, 2] for name in TYPES)
    assert all(found[name].dtype.isnative for name in TYPES)


def test_days_and_times_are_counted_from_2000(table):
    pgcopy.write(table, columns(3))
    day, time = fetch(f"SELECT e, f FROM {table} WHERE a = -1")[0]
    assert (day, time) == (date(1999, 12, 31), datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC))
    assert pgcopy.days(np.array([-1]))[0] == np.datetime64("1999-12-31")


@pytest.mark.parametrize(
    ("kind", "least", "most"), [("a", -(2**15), 2**15 - 1), ("b", -(2**31), 2**31 - 1), ("c", -(2**63), 2**63 - 1)]
)
def test_the_ends_of_a_type_survive(table, kind, least, most):
    pgcopy.write(table, {kind: Column(TYPES[kind], np.array([least, most]))})
    assert fetch(f"SELECT min({kind}), max({kind}) FROM {table}") == [(least, most)]


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=20))
def test_every_pattern_of_nulls_is_packed_row_by_row(pattern):
    nulls = np.array(pattern, dtype=bool).reshape(-1, 2)
    number = np.arange(len(nulls))
    table = {
        "key": Column("int8", number),
        "one": Column("int2", number, nulls[:, 0]),
        "two": Column("float8", number, nulls[:, 1]),
    }
    written = sum(len(block) for block in pgcopy.pack(table))
    assert written == sum(2 + 4 + 8 + 4 + 2 * (not one) + 4 + 8 * (not two) for one, two in nulls)


def test_nulls_arrive_where_they_belong(table):
    null = np.array([True, False, True, False])
    pgcopy.write(table, {"a": Column("int2", np.arange(4)), "d": Column("float8", np.arange(4) / 2, null)})
    assert fetch(f"SELECT a, d FROM {table} ORDER BY a") == [(0, None), (1, 0.5), (2, None), (3, 1.5)]


def test_no_rows_are_rows_too(table):
    assert pgcopy.write(table, columns(0)) == 0
    assert pgcopy.read(f"SELECT * FROM {table}", {}, TYPES)["a"].size == 0


def test_parameters_are_quoted(table):
    pgcopy.write(table, columns(5))
    found = pgcopy.read(f"SELECT a FROM {table} WHERE e = %(day)s", {"day": date(2000, 1, 2)}, {"a": "int2"})
    assert found["a"].tolist() == [1]


def test_what_fails_on_the_way_is_named():
    query = "SELECT 1 / (90000 - number) AS a FROM generate_series(1, 100000) AS number"
    with pytest.raises(DivisionByZero, match="division by zero"), transaction.atomic():
        pgcopy.read(query, {}, {"a": "int4"})
    assert pgcopy.read("SELECT 1 AS a", {}, {"a": "int4"})["a"].tolist() == [1]


def test_many_rows_arrive_in_their_order():
    found = pgcopy.read("SELECT number FROM generate_series(1, 100000) AS number", {}, {"number": "int4"})
    assert found["number"].tolist() == list(range(1, 100_001))


@pytest.mark.parametrize("query", ["SELECT NULL::int2 AS a", "SELECT 1::int8 AS a", "SELECT 1::int2, 2::int2"])
def test_another_shape_is_refused(query):
    with pytest.raises(ValueError, match="expected width"):
        pgcopy.read(query, {}, {"a": "int2"})
