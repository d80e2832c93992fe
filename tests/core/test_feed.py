"""The change feed: nothing committed is passed by, whatever order transactions end in."""

import threading

import pytest
from django.db import OperationalError, connection, transaction

from core import feed
from core.models import Change, Cursor

KIND = Change.Kind.ORDER


def read(reaction="reader"):
    """What a reaction gets that reads all it can and moves its cursor."""
    with transaction.atomic():
        since, until = feed.position(reaction), feed.horizon()
        found = feed.pending(KIND, since=since, until=until)
        feed.advance(reaction, until)
    return found


def write(session, number):
    session.execute("INSERT INTO core_change (kind, object_id) VALUES ('order', %s)", [number])


@pytest.mark.django_db(transaction=True)
def test_it_works():
    feed.record(KIND, [3, 1, 3, 2])
    feed.record(Change.Kind.DAY, [9])
    assert feed.wait_until_readable()
    assert (read(), read()) == ([1, 2, 3], [])


@pytest.mark.django_db(transaction=True)
def test_a_late_commit_is_not_skipped(other_connection):
    with other_connection() as slow:
        with slow.transaction():
            write(slow, 1)
            feed.record(KIND, [2])
            assert read() == []  # nothing is passed over while 1 is open, so 2 has to wait
        assert feed.wait_until_readable()
        assert read() == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_a_cursor_over_plain_numbers_would_skip_it(other_connection):
    """The negative control: ids are given at the start of a transaction, and a reader by id passes the slow one by."""

    def read_by_id(after):
        return list(Change.objects.filter(id__gt=after).order_by("id").values_list("id", "object_id"))

    with other_connection() as slow:
        with slow.transaction():
            write(slow, 1)
            feed.record(KIND, [2])
            first = read_by_id(0)
        later = read_by_id(first[-1][0])
    assert [number for _, number in first + later] == [2]


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_was_never_there(other_connection):
    with other_connection() as slow, slow.transaction(force_rollback=True):
        write(slow, 1)
    assert feed.wait_until_readable()
    assert read() == []


@pytest.mark.django_db(transaction=True)
def test_waiting_ends_when_the_older_transaction_does(other_connection):
    with other_connection() as slow:
        slow.execute("BEGIN")
        slow.execute("SELECT pg_current_xact_id()")
        feed.record(KIND, [1])
        assert not feed.wait_until_readable(0)
        threading.Timer(0.3, slow.execute, ["COMMIT"]).start()
        assert feed.wait_until_readable(60)
    assert read() == [1]


@pytest.mark.django_db(transaction=True)
def test_one_who_writes_himself_does_not_wait_for_himself():
    with transaction.atomic():
        feed.record(KIND, [1])
        assert not feed.wait_until_readable(60)


@pytest.mark.django_db(transaction=True)
def test_a_cursor_from_a_backup_starts_again():
    feed.record(KIND, [1])
    Cursor.objects.create(reaction="reader", xid=feed.horizon() + 10**9)
    feed.wait_until_readable()
    assert read() == [1]


@pytest.mark.django_db
def test_newest_is_the_largest_of_all_kinds():
    assert feed.newest() == 0
    feed.record(KIND, [1])
    feed.record(Change.Kind.DAY, [2])
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        assert feed.newest() == int(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
class TestPrune:
    def test_it_deletes_what_everybody_has_read_but_the_newest(self):
        for number in (1, 2, 3):
            feed.record(KIND, [number])
        feed.wait_until_readable()
        read("one"), read("two")
        newest = feed.newest()
        assert feed.prune() == 2
        assert list(Change.objects.values_list("object_id", flat=True)) == [3]
        assert feed.newest() == newest

    def test_what_one_has_not_read_stays(self):
        Cursor.objects.create(reaction="late", xid=0)
        feed.record(KIND, [1])
        feed.record(KIND, [2])
        feed.wait_until_readable()
        read("one")
        assert feed.prune() == 0

    def test_it_is_bounded(self):
        for number in range(5):
            feed.record(KIND, [number])
        feed.wait_until_readable()
        read()
        assert [feed.prune(most=3), feed.prune(most=3)] == [3, 1]

    def test_nobody_reads_so_nothing_goes(self):
        feed.record(KIND, [1])
        assert feed.prune() == 0


@pytest.mark.django_db(transaction=True)
def test_a_position_needs_a_transaction():
    with pytest.raises(RuntimeError, match="needs a transaction"):
        feed.position("reader")


@pytest.mark.django_db(transaction=True)
def test_who_stays_leaves_room_for_others_who_stay_and_for_nobody_else(other_connection):
    Cursor.objects.create(reaction="reader", xid=0)
    other = other_connection()
    with other, other.transaction():
        other.execute("SELECT 1 FROM core_cursor WHERE reaction = 'reader' FOR SHARE")
        with transaction.atomic():
            feed.stay("reader")
        with transaction.atomic():
            connection.cursor().execute("SET LOCAL lock_timeout = '50ms'")
            with pytest.raises(OperationalError, match="lock timeout"):
                feed.position("reader")
