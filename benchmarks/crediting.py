"""Points for all orders of a shop, and midnight for all its accounts, beside a bare INSERT … SELECT of as many rows.

    uv run python -m benchmarks.crediting [--orders N] [--customers N] [--keep]

Fills a shop, switches a programme on with two rules and credits every order; looks at all of them again; then lets
years pass, in which all points become active, and more, in which all expire. The floor writes the same postings and
lots once more, into tables with the same indexes and checks, on one connection. Seconds of the clock, of the processor
of all the server's processes, and the load of the machine in the last minute.
"""

import argparse
import os
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from benchmarks import _home, _server

HOME = _home.enter("crediting")

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmarks import big_shop  # noqa: E402
from core.models import Cursor  # noqa: E402
from customers.models import Category  # noqa: E402
from loyalty.models import EarningRule, Programme  # noqa: E402
from loyalty.services import crediting, settling, verifying  # noqa: E402

TABLES = ("loyalty_account", "loyalty_posting", "loyalty_lot", "loyalty_credit", "loyalty_linecredit")
WINDOW = 2 * big_shop.DAYS  # later than every order
BEGIN = datetime(2000, 1, 1, tzinfo=timezone.get_default_timezone())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--customers", type=int, help="as many as orders unless said")
    parser.add_argument("--keep", action="store_true", help="leave the home for a look at it")
    asked = parser.parse_args()
    try:
        _run(asked.orders, asked.customers or asked.orders)
    finally:
        if not asked.keep:
            _home.leave(HOME)


def _run(orders: int, customers: int) -> None:
    made = big_shop.make(customers=customers, orders=orders)
    print(f"{made:,} orders of {customers:,} customers")
    _open_programme()
    at = timezone.now()
    _tell("credit every order", lambda: crediting.credit(at=at), "orders")
    _tell("floor: the same rows by INSERT … SELECT", _bare, "rows")
    Cursor.objects.filter(reaction=crediting.REACTION).update(xid=0)
    _tell("look at every order again", lambda: crediting.credit(at=at), "orders")
    _vacuum()
    _tell(
        "midnight: all points become active", lambda: settling.activate_all(at=at + timedelta(days=WINDOW)), "accounts"
    )
    _vacuum()
    _tell("midnight: all points expire", lambda: settling.settle_all(at=at + timedelta(days=2 * WINDOW)), "accounts")
    wrong = [result.check for result in verifying.verify() if result.wrong]
    print(f"checks of the ledger that fail: {wrong or 'none'}")


def _open_programme() -> None:
    """A return window longer than the shop is old, so that all points wait first."""
    now = timezone.now()
    days = (now.date() - big_shop.LAST_DAY).days + big_shop.DAYS
    Programme.objects.create(id=1, opened_at=now, credit_from=BEGIN.date(), pending_days=days, expiry="months")
    EarningRule.objects.create(name="For each unit", starts_at=BEGIN)
    category = Category.objects.order_by("pk")[0]
    EarningRule.objects.create(name="On top", category=category, is_extra=True, points=2, starts_at=BEGIN)


def _bare() -> int:
    rows = 0
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING ALL)")
            cursor.execute(f"INSERT INTO bare_{table} SELECT * FROM {table}")
            rows += cursor.rowcount
        for table in TABLES:
            cursor.execute(f"DROP TABLE bare_{table}")
    return rows


def _vacuum() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")


def _tell(name: str, work: Callable[[], int], what: str) -> None:
    began, cpu = time.perf_counter(), _server.seconds(HOME)
    done = work()
    seconds, cpu = time.perf_counter() - began, _server.seconds(HOME) - cpu
    load = os.getloadavg()[0]
    print(f"{name}: {seconds:.1f} s, {cpu:.1f} s of CPU, {done:,} {what} (load {load:.1f})", flush=True)


if __name__ == "__main__":
    main()
