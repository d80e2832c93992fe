"""Parts at once: on connections of their own, and one after the other where nobody else could look."""

import threading

import pytest
from django.db import connection, transaction

from core import parallel
from core.embedded import tuning


@pytest.fixture(autouse=True)
def two_cores(monkeypatch):
    monkeypatch.setattr(tuning, "cores", lambda: 2)


def backend(_part):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_parts_are_at_work_at_once_on_connections_of_their_own():
    both = threading.Barrier(2, timeout=30)

    def meet(part):
        both.wait()
        return part, backend(part)

    told = parallel.each([3, 1], meet)
    assert [part for part, _backend in told] == [3, 1]
    assert len({backend(0), *(pid for _part, pid in told)}) == 3


@pytest.mark.django_db(transaction=True)
def test_an_error_comes_when_the_others_have_ended():
    ended = []

    def work(part):
        if part == 0:
            raise ZeroDivisionError
        ended.append(part)

    with pytest.raises(ZeroDivisionError):
        parallel.each([0, 1, 2], work)
    assert ended == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_in_a_transaction_one_after_the_other_within_it():
    with transaction.atomic():
        assert parallel.each([1, 2], backend) == [backend(0)] * 2


@pytest.mark.django_db
def test_nothing_to_do():
    assert parallel.each([], backend) == []
