"""Two imports of the same rows at once, and imports that are killed: no row is there twice."""

import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, connection
from psycopg.errors import DeadlockDetected

from customers.models import Order, OrderLine
from customers.services import imports, merging
from tests.customers import ledger
from tests.customers.rows import AT, order_row, return_row
from tests.customers.test_import_orders import RETAIL, net_of, retail_rows

ROWS = [order_row(i, customer=f"c{i % 300}", document=str(i), quantity=3, net=300) for i in range(2, 1500)]
ROWS += [return_row(i, customer=f"c{i % 300}", document=f"R{i}", day=9, net=100) for i in range(1500, 1800)]


def both_at_once():
    """Import the same rows in two threads; returns what they raised."""
    raised, start = [], threading.Barrier(2)

    def one():
        start.wait()
        try:
            imports.load(rows=ROWS, source="shop", at=AT)
        except IntegrityError as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_the_same_rows_at_once():
    assert both_at_once() == []
    assert Order.objects.count() == OrderLine.objects.count() == 1498
    assert ledger.net() == 1498 * 300 - 300 * 100
    ledger.check()


@pytest.mark.django_db(transaction=True)
def test_without_lock_and_second_try_they_collide(monkeypatch):
    """The control: it is the lock and the second try that make them agree, not luck."""
    meet = threading.Barrier(2, timeout=60)
    merge_customers = merging.merge_customers

    def together(params):
        if not params["is_return"] and not params["chunk"]:
            meet.wait()
        merge_customers(params)

    monkeypatch.setattr(imports, "one_at_a_time", nullcontext)
    monkeypatch.setattr(imports, "ATTEMPTS", 1)
    monkeypatch.setattr(merging, "merge_customers", together)
    assert any(both_at_once() for _ in range(3))


SLOWLY = """
import sys, time, django
django.setup()
from django.core.management import call_command
from customers.services import imports, staging
staging.LINES_PER_CHUNK = 100
merge = imports._merge_chunk
imports._merge_chunk = lambda *facts: (merge(*facts), time.sleep(0.05))
call_command("import_orders", sys.argv[1], preset="online_retail")
"""


@pytest.mark.faults
@pytest.mark.django_db(transaction=True)
def test_a_killed_import_is_completed_by_the_same_file_again(environment):
    seen = 0
    for _ in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", SLOWLY, str(RETAIL)],
            env=environment,
            cwd=Path(__file__).parents[2],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            until = time.monotonic() + 60
            while Order.objects.count() <= seen and process.poll() is None and time.monotonic() < until:
                time.sleep(0.02)
            process.kill()
        seen = Order.objects.count()
    assert seen > 0, "the kills came before anything was written"
    ledger.check()
    call_command("import_orders", str(RETAIL), preset="online_retail")
    assert ledger.net() == net_of(retail_rows())
    assert OrderLine.objects.count() == sum(not row["Quantity"].startswith("-") for row in retail_rows())
    ledger.check()
    before = ledger.facts()
    call_command("import_orders", str(RETAIL), preset="online_retail")
    assert ledger.facts() == before


@pytest.mark.django_db
@pytest.mark.parametrize(("times", "outcome"), [(2, "comes through"), (3, "fails")])
def test_a_chunk_that_meets_a_program_at_the_same_rows_starts_again(monkeypatch, times, outcome):
    """Orders of programs do not wait for an import. Each may wait for the other then, and PostgreSQL sends one back."""
    merge_customers, left = merging.merge_customers, iter(range(times))

    def deadlock(params):
        if next(left, None) is not None:
            raise OperationalError from DeadlockDetected()
        merge_customers(params)

    monkeypatch.setattr(merging, "merge_customers", deadlock)
    with nullcontext() if outcome == "comes through" else pytest.raises(OperationalError):
        imports.load(rows=ROWS[:10], source="shop", at=AT)
    assert Order.objects.count() == (10 if outcome == "comes through" else 0)
