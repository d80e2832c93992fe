"""The customer list (each sort, a search, two filters), the customer page and the pages of the value engine at a
million customers, over HTTP.

A real gunicorn, one client, 200 requests a page after a warm-up: median and 95th percentile, beside the floor, the same
server's answer to a signed-in request that finds nothing (404). Smaller: --customers 20000 --orders 50000
One page alone: --page retention
"""

import argparse
import http.client
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

from benchmarks import _home, _serve

HOME = _home.enter("pages")

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402

from benchmarks import big_shop  # noqa: E402
from core import statics  # noqa: E402
from core.models import Role, User  # noqa: E402
from crm import sorting  # noqa: E402

REQUESTS = 200
WARM_UP = 10
GOAL_MS = 200.0
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"

# What a night keeps must answer them: none may add up orders or all scores.
VALUE_PAGES = {
    "key figures": "/kpis/",
    "key figures of a year": "/kpis/?days=365",
    "a key figure": "/kpis/retention/",
    "retention by month": "/retention/",
    "retention by channel": "/retention/?rows=channel",
    "value": "/value/",
    "what if": "/what-if/",
    "report card": "/report-card/",
    "a segment's profit": "/segments/value/a/profit/",
    "segment of another scheme": "/segments/trajectory/fading/",
    "Today": "/",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--orders", type=int, default=2_500_000)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--page", default="", help="only pages whose name has this in it")
    asked = parser.parse_args()
    fill(customers=asked.customers, orders=asked.orders)
    cookie = sign_in()
    statics.collect()
    connections.close_all()
    with _serve.gunicorn() as port:
        print(f"{asked.customers:,} customers, {asked.requests} requests a page, gunicorn with two workers")
        print(f"{'':<44} {'median':>9} {'p95':>9}")
        worst = 0.0
        for name, address in (page for page in pages(asked.customers) if asked.page in page[0]):
            times = measure(port, cookie, address, asked.requests)
            median, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
            worst = max(worst, p95)
            print(f"{name:<44} {median:>6.1f} ms {p95:>6.1f} ms", flush=True)
        print(f"Goal: p95 of at most {GOAL_MS:.0f} ms. The slowest page's: {worst:.1f} ms.")
    _home.leave(HOME)


def fill(*, customers: int, orders: int) -> None:
    """The large shop and two nights a month apart."""
    big_shop.make(customers=customers, orders=orders)
    for day in (big_shop.LAST_DAY - timedelta(days=30), big_shop.LAST_DAY):
        call_command("nightly", as_of=day, skip_checks=True)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")


def sign_in() -> str:
    """The session cookie of a viewer."""
    user = User.objects.create_user("viewer@example.com", None, role=Role.VIEWER)
    session = SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(user.pk), BACKEND
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return f"sessionid={session.session_key}"


def pages(customers: int) -> Iterator[tuple[str, Callable[[random.Random], str]]]:
    yield (
        "floor: a customer that does not exist",
        lambda chance: f"/customers/{customers + chance.randrange(1, 10**6)}/",
    )
    for sort in (column.key for column in sorting.columns("") if column.key):
        for way in ("", "-"):
            yield f"list, sort {way}{sort}", lambda chance, sort=sort, way=way: f"/customers/?sort={way}{sort}"
    yield "list, search “bjorn 12345”", lambda chance: f"/customers/?q=bjorn+{chance.randrange(customers)}"
    yield "list, search “luc” (one in seven)", lambda chance: "/customers/?q=luc"
    yield "list, risk high and segment loyal", lambda chance: "/customers/?risk=high&segment=loyal"
    yield "list, channel and value of 100 or more", lambda chance: "/customers/?channel=friends&clv_min=100"
    yield "segments", lambda chance: "/segments/"
    yield "a segment", lambda chance: f"/segments/{chance.choice(('champions', 'hibernating'))}/"
    yield "who came and went (loaded after the page)", lambda chance: "/segments/loyal/moves/?days=30"
    for name, path in VALUE_PAGES.items():
        yield name, lambda chance, path=path: path
    yield "customer page", lambda chance: f"/customers/{chance.randrange(1, customers + 1)}/"


def measure(port: int, cookie: str, address: Callable[[random.Random], str], count: int) -> list[float]:
    """Milliseconds of each request but the warm-up, one after the other on one connection."""
    chance, times = random.Random(1), []
    wire = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for number in range(WARM_UP + count):
        started = time.perf_counter()
        wire.request("GET", address(chance), headers={"Cookie": cookie, "Accept-Encoding": "gzip"})
        answer = wire.getresponse()
        answer.read()
        if answer.status not in {200, 404}:
            raise SystemExit(f"{address(chance)} answered {answer.status}")
        if number >= WARM_UP:
            times.append((time.perf_counter() - started) * 1000)
    wire.close()
    return times


if __name__ == "__main__":
    os.environ["ALLOWED_HOSTS"] = "127.0.0.1"
    main()
