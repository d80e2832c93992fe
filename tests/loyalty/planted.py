"""Bugs on purpose: a function of the ledger with one thing changed, so that a test can show that it would notice."""

from contextlib import contextmanager

from django.db import connection


def definition(name):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = %s", [name])
        ((text,),) = cursor.fetchall()
    return text


@contextmanager
def planted(name, right, wrong):
    """Run with `wrong` in the place of `right` in the SQL function."""
    before = definition(name)
    assert right in before, f"{name} does not say {right!r} any more"
    with connection.cursor() as cursor:
        cursor.execute(before.replace(right, wrong))
        try:
            yield
        finally:
            cursor.execute(before)
