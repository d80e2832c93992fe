"""Tiers of everybody: reached, kept, lost, and looked at again under other rules, beside reading what counts for them.

    uv run python -m benchmarks.tiers [--orders N] [--customers N] [--by points|money] [--keep]

Fills a shop, credits its orders (by points) and sets up three tiers over a calendar year. The worst night is the turn
of the year, when every period ends at once; with periods of 12 months a 365th of it ends in a night. The floor sums
what counts for each customer and writes nothing. Seconds of the clock, of the
processor of all the server's processes, and the load of the machine in the last minute.
"""

import argparse
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from benchmarks import _home, _server

HOME = _home.enter("tiers")

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmarks import big_shop  # noqa: E402
from core import business  # noqa: E402
from loyalty.models import EarningRule, Programme, Tier  # noqa: E402
from loyalty.selectors import tier_census, tier_values  # noqa: E402
from loyalty.services import crediting, tier_rules, tiers  # noqa: E402

BEGIN = datetime(2000, 1, 1, tzinfo=UTC)
THRESHOLDS = (1_000, 20_000, 60_000)
SUMS = "\nSELECT count(*) FILTER (WHERE value_now > 0) FROM judged"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--customers", type=int, help="as many as orders unless said")
    parser.add_argument("--by", choices=["points", "money"], default="points")
    parser.add_argument("--keep", action="store_true", help="leave the home for a look at it")
    asked = parser.parse_args()
    try:
        _run(asked.orders, asked.customers or asked.orders, asked.by)
    finally:
        if not asked.keep:
            _home.leave(HOME)


def _run(orders: int, customers: int, by: str) -> None:
    made = big_shop.make(customers=customers, orders=orders)
    print(f"{made:,} orders of {customers:,} customers, tiers by {by}")
    Programme.objects.create(id=1, opened_at=timezone.now(), credit_from=BEGIN.date())
    EarningRule.objects.create(name="For each unit", points=100, starts_at=BEGIN)
    if by == "points":
        crediting.credit(at=timezone.now())
    _set_up(by)
    year = big_shop.LAST_DAY.year
    within, turned, warned, later = (
        datetime(year + years, month, day, 3, tzinfo=UTC)
        for years, month, day in ((0, 12, 30), (1, 1, 1), (1, 12, 20), (2, 1, 1))
    )
    row = business.current()
    _tell("floor: sum what counts for everybody", lambda: _sums(within), "customers")
    _tell("everybody reaches a tier", lambda: tiers.follow(business=row, at=within).risen, "customers")
    _tell("look at everybody again", lambda: tier_rules.apply(may_lower=False, at=within).written, "standings")
    _tell("a night on which no period ends", lambda: _night(within + timedelta(days=1)), "standings")
    _tell("the turn of the year: all are kept", lambda: _night(turned), "standings")
    _tell("warn those who are about to fall", lambda: tiers.tell_ending(business=row, at=warned), "notices")
    _tell("the next one: all fall", lambda: _night(later), "standings")
    _tell("what other rules would change", lambda: len(tier_census.census(at=later).groups), "groups")


def _set_up(by: str) -> None:
    plan = tier_values.plan()
    plan.qualify_by, plan.window = by, "year"
    plan.save(update_fields=["qualify_by", "window"])
    for rank, threshold in enumerate(THRESHOLDS, start=1):
        Tier.objects.create(name=f"Tier {rank}", rank=rank, threshold=threshold)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


def _sums(at: datetime) -> int:
    of = tier_values.scheme()
    with connection.cursor() as cursor:
        query = tier_values.judge(of, asked=tier_values.EVERYONE, decide=SUMS)
        cursor.execute(query, tier_values.params(of, business=business.current(), at=at, share=1))
        return int(cursor.fetchone()[0])


def _night(at: datetime) -> int:
    row = business.current()
    return (tiers.expire(business=row, at=at) + tiers.begin_periods(business=row, at=at)).written


def _tell(name: str, work: Callable[[], int], what: str) -> None:
    began, cpu = time.perf_counter(), _server.seconds(HOME)
    done = work()
    seconds, cpu = time.perf_counter() - began, _server.seconds(HOME) - cpu
    load = os.getloadavg()[0]
    print(f"{name}: {seconds:.1f} s, {cpu:.1f} s of CPU, {done:,} {what} (load {load:.1f})", flush=True)


if __name__ == "__main__":
    main()
