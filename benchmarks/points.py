"""Redemptions of points over HTTP on distinct accounts beside a floor: a bare authenticated view of the REST framework
that does one indexed UPDATE, on the same server in the same run. Before that the service call alone beside pgbench with
the same SQL, and after it 64 clients on one balance.

    uv run python -m benchmarks.points [--accounts N] [--requests N] [--calls N] [--clients N] [--attempts N]
                                       [--rounds N]

The server is gunicorn as in the Procfile. Each account has two lots.
"""

import argparse
import json
import os
import statistics
import subprocess
import time
from collections.abc import Sequence
from itertools import count

from benchmarks import _home

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.bare_settings"
HOME = _home.enter("points")

from django.db import connection, connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmarks import _serve, bare  # noqa: E402
from benchmarks._wire import Call, Wire  # noqa: E402
from core import business, keys  # noqa: E402
from core.embedded import owner, places, programs  # noqa: E402
from loyalty import ledger  # noqa: E402
from loyalty.models import Account, Programme  # noqa: E402
from loyalty.services import points, verifying  # noqa: E402

GOAL = 0.25
COST = 3
numbers = count(1)

# Accounts as the ledger would have left them: two earnings of 50,000 points, one that expires.
ACCOUNTS = """
INSERT INTO customers_customer (name, channel, country, city, locale, time_zone, sort_name, search, created_at)
SELECT 'Customer ' || n, '', '', '', '', '', '', '', now() FROM generate_series(1, {accounts}) n;
INSERT INTO loyalty_account (customer_id, balance, earned, due_at)
SELECT id, 100000, 100000, now() + interval '1 year' FROM customers_customer;
INSERT INTO loyalty_posting (account_id, customer_id, kind, points, asked, key, at)
SELECT a.id, a.customer_id, 'earn', 50000, 50000, concat_ws(':', 'earn', a.id, n), now()
FROM loyalty_account a, generate_series(1, 2) n;
INSERT INTO loyalty_lot (account_id, posting_id, points, points_left, state, earned_at, active_at, expires_at)
SELECT account_id, id, points, points, 'active', at, at, CASE WHEN key LIKE '%:1' THEN now() + interval '1 year' END
FROM loyalty_posting;
VACUUM ANALYZE
"""
SAME_SQL = """\\set customer random({first}, {last})
\\set number random(1, 9000000000000000)
SELECT outcome, balance, (posting).*
FROM loyalty_spend(:customer, 'redeem', 3, 'pgbench:' || :number, now(), NULL, '', NULL);
"""


def main() -> None:
    asked = _options()
    try:
        key = prepare(asked.accounts)
        customers = list(Account.objects.order_by("pk").values_list("customer_id", flat=True))
        alone = [_alone(customers, asked.calls) for _ in range(asked.rounds)]
        with _serve.gunicorn() as port:
            wire = Wire(port, key, asked.clients)
            rounds = [_round(wire, customers, asked.requests) for _ in range(asked.rounds)]
            one = _one_balance(Wire(port, key, 64), customers[0], asked.attempts)
        _report(alone, rounds)
        print(one)
        print("verify_ledger:", [text for result in verifying.verify() for text in result.wrong] or "all agrees")
    finally:
        _home.leave(HOME)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--accounts", type=int, default=20_000)
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--calls", type=int, default=4_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--attempts", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def prepare(accounts: int) -> str:
    """The accounts, an open programme, the floor's table, and a key's text."""
    business.current()
    Programme.objects.create(id=1, opened_at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(bare.TABLE_OF_NOTES)
        cursor.execute(
            f"INSERT INTO bare_note (body, made_at) SELECT 'note', now() FROM generate_series(1, {accounts})"
        )
        for statement in ACCOUNTS.format(accounts=accounts).split(";\n"):
            cursor.execute(statement)
    _key, text = keys.create(name="benchmark", scopes=["loyalty"], created_by=None, at=timezone.now())
    connections.close_all()
    return text


def _alone(customers: Sequence[int], calls: int) -> dict[str, float]:
    """Redemptions a second, one after the other: the service, its one statement by psycopg, and by pgbench."""
    rates = {"service": _service(customers, calls), "psycopg": _psycopg(customers, calls)}
    rates["pgbench"] = _pgbench(customers, calls)
    print("  ".join(f"{name} {rate:,.0f}/s" for name, rate in rates.items()), flush=True)
    return rates


def _service(customers: Sequence[int], calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        number = next(numbers)
        customer = customers[number * 7919 % len(customers)]
        points.redeem(customer_id=customer, points=COST, key=f"service:{number}", at=timezone.now())
    return calls / (time.perf_counter() - started)


def _psycopg(customers: Sequence[int], calls: int) -> float:
    nothing = {"kind": "redeem", "points": COST, "until": None, "reason": "", "by": None}
    connection.ensure_connection()
    started = time.perf_counter()
    with connection.connection.cursor() as cursor:
        for _ in range(calls):
            number = next(numbers)
            customer = customers[number * 7919 % len(customers)]
            facts = {"customer": customer, "key": f"psycopg:{number}", "at": timezone.now(), **nothing}
            cursor.execute(ledger.SPEND, facts)
            cursor.fetchone()
    return calls / (time.perf_counter() - started)


def _pgbench(customers: Sequence[int], calls: int) -> float:
    script = HOME / "redeem.sql"
    script.write_text(SAME_SQL.format(first=customers[0], last=customers[-1]))
    script.chmod(0o644)
    words = [
        "-n",
        "-c",
        "1",
        "-t",
        str(calls),
        "-f",
        str(script),
        "-h",
        str(places.sockets(HOME)),
        "-U",
        places.SUPERUSER,
    ]
    command = owner.command([programs.postgres("pgbench"), *words, places.DATABASE], owner.of(HOME), HOME / "postgres")
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"LC_ALL": "C.UTF-8"})
    line = next((line for line in done.stdout.splitlines() if line.startswith("tps = ")), None)
    if line is None or "number of failed transactions: 0" not in done.stdout:
        raise SystemExit(f"pgbench: {done.stdout}{done.stderr}")
    return float(line.split()[2])


def _round(wire: Wire, customers: Sequence[int], requests: int) -> dict[str, float]:
    """Answers a second: the floor, then redemptions of distinct accounts."""
    chosen = [customers[next(numbers) * 7919 % len(customers)] for _ in range(requests)]
    rates = {}
    for name, calls, wanted in (
        ("floor", [_update(place + 1) for place in range(requests)], 200),
        ("redeem", [_redeem(customer) for customer in chosen], 201),
    ):
        sent = wire.send(calls)
        if set(sent.statuses) != {wanted}:
            raise SystemExit(f"{name}: answers {dict(sent.statuses)}")
        rates[name] = sent.rate
    print("  ".join(f"{name} {rate:,.0f}/s" for name, rate in rates.items()), flush=True)
    return rates


def _update(note: int) -> Call:
    number = next(numbers)
    return "PUT", f"/api/v1/bare/{note}/", json.dumps({"body": f"note {number}"}).encode(), f"note-{number}"


def _redeem(customer: int, cost: int = COST) -> Call:
    body = json.dumps({"points": cost}).encode()
    return "POST", f"/api/v1/points/{customer}/redeem/", body, f"redeem-{next(numbers)}"


def _one_balance(wire: Wire, customer: int, attempts: int) -> str:
    """64 clients on one balance that pays for a tenth of their attempts."""
    balance = Account.objects.get(customer_id=customer).balance
    cost = max(balance // max(attempts // 10, 1), 1)
    sent = wire.send([_redeem(customer, cost) for _ in range(attempts)])
    left = Account.objects.get(customer_id=customer).balance
    return (
        f"64 clients, {attempts:,} attempts of {cost} points on a balance of {balance:,}: {dict(sent.statuses)} in"
        f" {sent.seconds:.1f} s ({sent.rate:,.0f}/s); floor(balance / cost) = {balance // cost:,}, left {left}"
    )


def _report(alone: Sequence[dict[str, float]], rounds: Sequence[dict[str, float]]) -> None:
    print(f"{'':<56} {'a second':>9} {'ratio':>6}")
    labels = {
        "pgbench": "one SQL statement by pgbench, 1 client",
        "psycopg": "the same by psycopg",
        "service": "the service call",
    }
    _lines(alone, labels, "pgbench")
    labels = {
        "floor": "floor: a bare view, one indexed UPDATE, over HTTP",
        "redeem": f"POST points/…/redeem/, distinct accounts (goal {GOAL})",
    }
    _lines(rounds, labels, "floor")


def _lines(rounds: Sequence[dict[str, float]], labels: dict[str, str], base: str) -> None:
    for name, label in labels.items():
        rate = statistics.median(one[name] for one in rounds)
        ratio = statistics.median(one[name] / one[base] for one in rounds)
        print(f"{label:<56} {rate:>9,.0f} {ratio:>6.2f}")


if __name__ == "__main__":
    main()
