"""Order upserts over HTTP: single ones, new and unchanged, and batches of 1,000, beside a floor: a bare authenticated
view of the REST framework that does one INSERT, on the same server in the same run.

    uv run python -m benchmarks.api [--requests N] [--batches N] [--clients N] [--rounds N]

The server is gunicorn as in the Procfile. Each order has three lines of known products; half of the customers are new.
"""

import argparse
import http.client
import json
import os
import random
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from benchmarks import _home

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.bare_settings"
HOME = _home.enter("api")

from django.db import connection, connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmarks import _serve, bare  # noqa: E402
from core import keys  # noqa: E402

SKUS = 500
CUSTOMERS = 4_000
LINES = 3
SINGLE_GOAL, BATCH_GOAL = 0.25, 3.0
BATCH = 1_000
numbers = count(1)

Call = tuple[str, str, bytes]  # method, address, body


def main() -> None:
    asked = _options()
    try:
        key = prepare()
        with _serve.gunicorn() as port:
            wire = Wire(port, key, asked.clients)
            wire.send([batch(known=start) for start in range(0, CUSTOMERS, BATCH)])
            rounds = [_round(wire, asked) for _ in range(asked.rounds)]
        _report(rounds)
    finally:
        _home.leave(HOME)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--batches", type=int, default=16)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def prepare() -> str:
    """The floor's table, and a key's text."""
    with connection.cursor() as cursor:
        cursor.execute(bare.TABLE_OF_NOTES)
    _key, text = keys.create(name="benchmark", scopes=["orders"], created_by=None, at=timezone.now())
    connections.close_all()
    return text


def note() -> Call:
    return "POST", "/api/v1/bare/", json.dumps({"body": f"note {next(numbers)}"}).encode()


def order() -> Call:
    """A new order; half of them by new customers."""
    number = next(numbers)
    return "PUT", f"/api/v1/orders/shop/{number}/", json.dumps(facts(number)).encode()


def batch(known: int | None = None) -> Call:
    """A thousand orders; with `known` by customers whom others know later, from that number on."""
    orders = [{"source": "shop", "external_id": str(number := next(numbers)), **facts(number)} for _ in range(BATCH)]
    for place, one in enumerate(orders if known is not None else ()):
        one["customer"] = person(f"k{(known or 0) + place}")
    return "POST", "/api/v1/orders/batch/", json.dumps({"orders": orders}).encode()


def facts(number: int) -> dict[str, object]:
    chance = random.Random(number)
    customer = f"c{number}" if number % 2 else f"k{chance.randrange(CUSTOMERS)}"
    return {
        "customer": person(customer),
        "placed_at": f"2026-0{chance.randrange(1, 10)}-1{chance.randrange(10)}T12:00:00+00:00",
        "lines": [
            {"sku": f"SKU-{chance.randrange(SKUS)}", "quantity": chance.randrange(1, 4),
             "unit_price": f"{chance.randrange(1, 100)}.95"}
            for _ in range(LINES)
        ],
        "channel": "web",
    }  # fmt: skip


def person(name: str) -> dict[str, str]:
    return {"source": "shop", "external_id": name, "name": f"Customer {name}", "email": f"{name}@example.com"}


class Wire:
    """Clients that send calls at the same time, each over a connection of its own that stays open."""

    def __init__(self, port: int, key: str, clients: int) -> None:
        self.port, self.clients = port, clients
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def send(self, calls: Sequence[Call]) -> float:
        """Seconds until all calls are answered."""
        parts = [calls[number :: self.clients] for number in range(self.clients)]
        started = time.perf_counter()
        with ThreadPoolExecutor(self.clients) as pool:
            list(pool.map(self._send, parts))
        return time.perf_counter() - started

    def _send(self, calls: Sequence[Call]) -> None:
        wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        for call in calls:
            try:
                self._call(wire, *call)
            except (http.client.RemoteDisconnected, ConnectionError):  # a worker made room for a fresh one
                wire.close()
                self._call(wire, *call)
        wire.close()

    def _call(self, wire: http.client.HTTPConnection, method: str, address: str, body: bytes) -> None:
        wire.request(method, address, body, self.headers)
        answer = wire.getresponse()
        text = answer.read()
        if answer.status not in {200, 201} or ("batch" in address and b'"rejected":0' not in text):
            raise SystemExit(f"{method} {address} answered {answer.status}: {text[:400]!r}")


def _round(wire: Wire, asked: argparse.Namespace) -> dict[str, float]:
    """Things a second: floor, new orders, the same orders again, orders of batches."""
    singles = [order() for _ in range(asked.requests)]
    rates = {
        "floor": asked.requests / wire.send([note() for _ in range(asked.requests)]),
        "new": asked.requests / wire.send(singles),
        "unchanged": asked.requests / wire.send(singles),
        "batch": asked.batches * BATCH / wire.send([batch() for _ in range(asked.batches)]),
    }
    print("  ".join(f"{name} {rate:,.0f}/s" for name, rate in rates.items()), flush=True)
    return rates


def _report(rounds: Sequence[dict[str, float]]) -> None:
    print(f"{'':<44} {'a second':>9} {'to floor':>9}")
    labels = {
        "floor": "floor: a bare view, one INSERT",
        "new": f"PUT, new orders of {LINES} lines (goal {SINGLE_GOAL})",
        "unchanged": f"PUT, the same again (goal {SINGLE_GOAL})",
        "batch": f"batches of 1,000, per order (goal {BATCH_GOAL})",
    }
    for name, label in labels.items():
        rate = statistics.median(one[name] for one in rounds)
        ratio = statistics.median(one[name] / one["floor"] for one in rounds)
        print(f"{label:<44} {rate:>9,.0f} {ratio:>9.2f}")


if __name__ == "__main__":
    main()
