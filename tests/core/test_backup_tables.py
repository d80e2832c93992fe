"""Hashes of tables that do not depend on the order of rows, and transaction ids that mean something elsewhere."""

import pytest
from django.db import connection

from core.backup import aftermath, tables


@pytest.fixture
def execute(db):
    """Run statements in the test's own transaction; returns the rows of the last one."""

    def run(query, params=None):
        with connection.cursor() as cursor:
            cursor.execute(query, params)
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def content(execute):
    """The content of a table made of these rows, in this order."""

    def of(*rows):
        execute("DROP TABLE IF EXISTS thing")
        execute("CREATE TABLE thing (whole text, number float8, at timestamptz)")
        for row in rows:
            execute("INSERT INTO thing VALUES (%s, %s, %s)", row)
        execute(tables.PLAIN)
        [(name, count, total)] = execute(tables.content_query("public.thing"))
        execute("SET LOCAL search_path = public")
        return name, count, total

    return of


A = ("a", 0.1, "2026-01-01 00:00+00")
B = ("b", 0.2, "2026-01-02 00:00+00")


# --- it works


def test_the_order_of_rows_does_not_matter(content):
    assert content(A, B) == content(B, A)
    assert content(A, B)[:2] == ("public.thing", 2)


def test_the_settings_of_a_session_do_not_matter(content, execute):
    before = content(A, B)
    execute("SET LOCAL timezone = 'Asia/Tokyo'")
    execute("SET LOCAL datestyle = 'German'")
    execute("SET LOCAL extra_float_digits = 0")
    assert content(A, B) == before


@pytest.mark.parametrize(
    "other",
    [(A,), (A, A), (A, B, B), (A, ("b", 0.2, "2026-01-02 00:00:00.000001+00")), (A, (None, *B[1:])), (A, ("", *B[1:]))],
)
def test_every_other_content_has_another_hash(content, other):
    assert content(*other)[2] != content(A, B)[2]


def test_tables_with_rows_and_those_of_a_night_at_work_are_told_apart(execute):
    execute("CREATE TABLE analytics_score_of_run_77 (LIKE analytics_score INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    found = tables.listed(connection.connection)
    assert found.scratch == ["public.analytics_score_of_run_77"]
    assert "public.analytics_score" in found.all
    assert "public.analytics_score" not in found.filled
    assert "public.core_job" in found.filled
    execute("ALTER TABLE analytics_score ATTACH PARTITION analytics_score_of_run_77 FOR VALUES IN (77)")
    assert "public.analytics_score_of_run_77" in tables.listed(connection.connection).filled


# --- transaction ids

FAR = 9_000_000_000_000  # no test server has come as far


@pytest.fixture
def rebased(execute):
    """Changes and cursors with an old server's ids, rebased: {name: new id}."""

    def of(*, changes, cursors, runs=()):
        for name, xid in changes.items():
            execute("INSERT INTO core_change (kind, object_id, xid) VALUES ('order', %s, %s::xid8)", [name, str(xid)])
        for name, xid in cursors.items():
            execute("INSERT INTO core_cursor (reaction, xid) VALUES (%s, %s::xid8)", [name, str(xid)])
        for number, xid in enumerate(runs):
            execute(
                """INSERT INTO core_run (as_of, revision, state, step, is_current, is_past, facts_xid, settings, model,
                stats, error, started_at) VALUES (date '2026-01-01' + %s, 1, 'done', '', false, false, %s, '{}', '{}',
                '{}', '', now())""",
                [number, xid],
            )
        execute(aftermath.REBASE)
        new = dict(execute("SELECT object_id, xid::text::bigint FROM core_change"))
        new |= dict(execute("SELECT reaction, xid::text::bigint FROM core_cursor"))
        return new | {f"run {n}": xid for n, (xid,) in enumerate(execute("SELECT facts_xid FROM core_run ORDER BY id"))}

    return of


def test_what_a_reader_has_read_stays_read_and_the_rest_stays_unread(rebased):
    new = rebased(
        changes={1: FAR + 10, 2: FAR + 20, 3: FAR + 30, 4: FAR + 40},
        cursors={"slow": FAR + 20, "quick": FAR + 35, "new": 0},
    )
    assert [n for n in (1, 2, 3, 4) if new[n] < new["slow"]] == [1]
    assert [n for n in (1, 2, 3, 4) if new[n] < new["quick"]] == [1, 2, 3]
    assert [n for n in (1, 2, 3, 4) if new[n] < new["new"]] == []


def test_a_run_still_knows_whether_facts_came_after_it(rebased):
    new = rebased(changes={1: FAR + 10, 2: FAR + 20}, cursors={"only": FAR + 5}, runs=[FAR + 20, FAR + 21, 0])
    assert new[1] < new["run 0"] <= new[2] < new["run 1"]
    assert new["run 2"] == 0


def test_all_is_behind_the_server_it_came_to(rebased, execute):
    rebased(changes=dict.fromkeys([1], FAR), cursors={"only": FAR + 1}, runs=[FAR + n for n in range(300)])
    [(horizon,)] = execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    assert max(xid for (xid,) in execute("SELECT facts_xid FROM core_run")) < horizon
    assert execute("SELECT max(xid::text::bigint) FROM core_change")[0][0] < horizon


def test_an_empty_shop_has_nothing_to_rebase(rebased):
    assert rebased(changes={}, cursors={}) == {}
