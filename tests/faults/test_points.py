"""Points under fire: many clients on one balance, one key many times, servers that die under them.

The short forms run with every test; SOAK=1 takes 64 clients and 10,000 requests, ten crashes of PostgreSQL under 16
clients and twenty of the web server.
"""

import contextlib
import os
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from random import Random
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, connections
from django.utils import timezone

from core import embedded, keys
from loyalty.models import Account, Posting, Programme
from loyalty.services import points
from tests.factories import make_business, make_customer
from tests.faults.celery import wait_for
from tests.faults.server import Caller, Server
from tests.loyalty.accounts import NOW, disagreements, totals
from tests.loyalty.planted import planted

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

SOAK = os.environ.get("SOAK") == "1"
SEED = int(os.environ.get("SEED", time.time_ns() % 10**6))
CLIENTS = 64 if SOAK else 12
ATTEMPTS = 10_000 if SOAK else 240
CRASHES = 10 if SOAK else 2
KILLS = 20 if SOAK else 2
COST = 7
# The moment between looking and writing, long enough for the others to look too
MOMENT = "EXIT WHEN acct.merged_into_id IS NULL;"


@pytest.fixture
def shop(transactional_db):
    make_business()
    return Programme.objects.update_or_create(id=1, defaults={"opened_at": NOW, "worth_cents": 100})[0]


@pytest.fixture
def key(shop):
    return keys.create(name="till", scopes=["loyalty"], created_by=None, at=timezone.now())[1]


@contextlib.contextmanager
def serving(environment, folder):
    server = Server(environment | {"API_CALLS_PER_MINUTE": "1000000"}, folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture
def server(shop, environment, tmp_path):
    with serving(environment, tmp_path) as server:
        yield server


@pytest.fixture
def late_server(shop, environment, tmp_path):
    """One that is often found between the work and its answer."""
    with serving(environment | {"DJANGO_SETTINGS_MODULE": "tests.faults.late"}, tmp_path) as server:
        yield server


def rich(balance):
    """A customer whose points lie in ten lots."""
    customer = make_customer()
    for number in range(10):
        part = balance // 10 + (balance % 10 if number == 9 else 0)
        points.earn(customer_id=customer.pk, points=part, key=f"earn:{customer.pk}:{number}", at=NOW)
    return customer


def send(server, key, requests, clients=CLIENTS):
    """The answers to (address, body, idempotency key), sent by so many clients at the same time."""
    parts = [requests[number::clients] for number in range(clients)]

    def work(part):
        caller = Caller(server.port, key)
        return [caller.post(*request) for request in part]

    with ThreadPoolExecutor(clients) as pool:
        return [answer for answers in pool.map(work, parts) for answer in answers]


def statuses(answers):
    return Counter("broken" if answer is None else answer[0] for answer in answers)


def attempts(customer, number=ATTEMPTS):
    return [(f"/api/v1/points/{customer.pk}/redeem/", {"points": COST}, f"attempt-{n}") for n in range(number)]


class TestOneBalance:
    def test_it_pays_exactly_as_often_as_it_can(self, server, key):
        balance = ATTEMPTS // 5 * COST + 3
        customer = rich(balance)
        answers = send(server, key, attempts(customer))
        told = statuses(answers)
        print(f"\n{CLIENTS} clients, {ATTEMPTS} attempts, {balance} points at {COST}: {dict(told)}")
        assert told == {201: balance // COST, 409: ATTEMPTS - balance // COST}, server.log.read_text()
        refusals = {answer[1]["errors"][0]["code"] for answer in answers if answer[0] == 409}
        assert refusals == {"insufficient_points"}
        assert totals(customer) == (balance % COST, 0, 0)
        assert disagreements() == []

    def test_without_the_lock_it_does_not(self, server, key):
        """The control: who looks at the same moment sees the same points."""
        customer = rich(10 * COST)
        slow = f"PERFORM pg_sleep(0.02); {MOMENT}"
        with planted("loyalty_lock", MOMENT, slow), planted("loyalty_lock", "FOR NO KEY UPDATE", ""):
            told = statuses(send(server, key, attempts(customer, 60)))
        print(f"\nwithout the lock: {dict(told)}, balance {Account.objects.get(customer=customer).balance}")
        assert told != {201: 10, 409: 50} or disagreements()


class TestOneKey:
    def test_each_key_counts_once_and_is_answered_alike(self, server, key):
        several = ATTEMPTS // 4
        customer = rich(several * COST)
        requests = attempts(customer, several) * 4
        Random(SEED).shuffle(requests)
        answers = dict.fromkeys(range(several))
        bodies = {name: set() for _address, _body, name in requests}

        def work(part):
            caller = Caller(server.port, key)
            for address, body, name in part:
                status, told = caller.insist(address, body, name)
                assert status == 201, told
                bodies[name].add(repr(told))

        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(work, [requests[number::CLIENTS] for number in range(CLIENTS)]))
        assert len(answers) == len(bodies) == several
        assert {len(told) for told in bodies.values()} == {1}, f"SEED={SEED}"
        assert Posting.objects.filter(kind="redeem").count() == several
        assert totals(customer) == (0, 0, 0)
        others = [(address, {"points": COST + 1}, name) for address, _body, name in requests[:several]]
        told = send(server, key, others)
        assert statuses(told) == {422: several}
        assert {answer[1]["errors"][0]["code"] for answer in told} == {"idempotency_mismatch"}
        assert disagreements() == []

    def test_without_memory_of_keys_each_request_counts(self, server, key):
        """The control: no row says that a key was used."""
        customer = rich(40 * COST)
        with forgetful("core_idempotencykey", "loyalty_redemption", "loyalty_posting"):
            told = statuses(send(server, key, attempts(customer, 10) * 3))
        assert told == {201: 30}
        assert Posting.objects.filter(kind="redeem").count() == 30


@contextlib.contextmanager
def forgetful(*tables):
    """Keys are written down as others than they are, so that nobody finds them again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS $$"
            " BEGIN NEW.key := NEW.key || left(gen_random_uuid()::text, 8); RETURN NEW; END $$"
        )
        for table in tables:
            cursor.execute(f"CREATE TRIGGER forget BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION forget()")
        try:
            yield
        finally:
            cursor.execute("DROP FUNCTION forget CASCADE")


class Tills:
    """Clients who redeem without a pause, each with keys of its own, and insist until each is answered."""

    def __init__(self, number, redeem):
        self.redeem, self.closing, self.answered = redeem, threading.Event(), {}
        self.threads = [threading.Thread(target=self._work, args=[till]) for till in range(number)]
        for thread in self.threads:
            thread.start()

    def _work(self, till):
        number = 0
        while not self.closing.is_set():
            number += 1
            key = f"till-{till}-{number}"
            self.answered[key] = self.redeem(till, key)

    def go_on_for(self, answers):
        goal = len(self.answered) + answers
        wait_for(lambda: len(self.answered) >= goal)

    def close(self):
        self.closing.set()
        for thread in self.threads:
            thread.join()


class TestDeath:
    def test_nothing_is_lost_or_done_twice_when_the_web_server_dies(self, late_server, key):
        customers = [rich(10**9) for _ in range(4)]
        answered = kills(late_server, key, customers, insist=lambda caller, *asked: caller.insist(*asked))
        assert len(set(answered.values())) == len(answered)
        assert Posting.objects.filter(kind="redeem").count() == len(answered)
        assert sum(totals(customer)[0] for customer in customers) == 4 * 10**9 - COST * len(answered)
        assert disagreements() == []

    def test_who_insists_under_another_key_pays_twice(self, late_server, key):
        """The control: what was done when the server died is not recognised."""

        def insist(caller, address, body, name):
            return wait_for(lambda: caller.post(address, body, f"{name}-{uuid4()}"), pause=0.05)

        answered = kills(late_server, key, [rich(10**9)], insist=insist, times=1)
        assert Posting.objects.filter(kind="redeem").count() > len(answered)

    def test_nothing_is_lost_or_done_twice_when_postgresql_stops_at_once(self, transactional_db):
        answered, customers = crashes()
        assert lost(answered) == set()
        assert Posting.objects.filter(kind="redeem").count() == len(answered)
        assert sum(totals(customer)[0] for customer in customers) == 4 * 10**9 - COST * len(answered)
        assert disagreements() == []

    def test_what_is_acknowledged_before_it_is_written_down_is_lost(self, transactional_db, rare_log):
        """The control: commits that do not wait for the log."""
        set_for_everybody("synchronous_commit = off")
        try:
            answered, _customers = crashes()
        finally:
            set_for_everybody("synchronous_commit = on")
        assert lost(answered) != set()


def kills(server, key, customers, insist, times=KILLS):
    """The web server killed again and again under clients; redemption by key as they were told."""
    own = threading.local()

    def redeem(till, name):
        own.caller = getattr(own, "caller", None) or Caller(server.port, key)
        address = f"/api/v1/points/{customers[till % len(customers)].pk}/redeem/"
        status, told = insist(own.caller, address, {"points": COST}, name)
        assert status == 201, told
        return told["id"]

    tills = Tills(8, redeem)
    try:
        for _ in range(times):
            tills.go_on_for(40)
            server.kill()
            server.start()
        tills.go_on_for(20)
    finally:
        tills.close()
    return tills.answered


def crashes():
    """PostgreSQL stopped at once again and again under clients; posting by key as they were told, and the customers."""
    customers = [rich(10**9) for _ in range(4)]
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")  # they are there whatever becomes of the log

    def redeem(till, key):
        while True:
            try:
                return points.redeem(customer_id=customers[till % 4].pk, points=COST, key=key, at=NOW).pk
            except DatabaseError:
                connection.close()
                time.sleep(0.05)

    tills = Tills(16 if SOAK else 6, redeem)
    try:
        for _ in range(CRASHES):
            tills.go_on_for(60)
            crash()
        tills.go_on_for(20)
    finally:
        tills.close()
    return tills.answered, customers


def crash():
    pid = next(state.pid for state in embedded.status(settings.PERENNIAL_HOME) if state.name == "PostgreSQL")
    os.kill(pid, signal.SIGQUIT)  # an immediate shutdown: what is not in the log is gone
    wait_for(lambda: not is_alive(pid))
    embedded.start(settings.PERENNIAL_HOME, durable=False)
    connections.close_all()


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123 - a process that nobody waited for is dead all the same
        return stat.read().rsplit(")", 1)[1].split()[0] != "Z"


def lost(answered):
    """Keys that were acknowledged with a posting that is not there."""
    there = dict(Posting.objects.filter(kind="redeem").values_list("key", "pk"))
    return {key for key, pk in answered.items() if there.get(key) != pk}


@pytest.fixture
def rare_log(transactional_db):
    """A server that writes down what nobody waits for after ten seconds only, and not when there is much of it."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
        cursor.execute("ALTER SYSTEM SET wal_writer_flush_after = '1GB'")
        cursor.execute("SELECT pg_reload_conf()")
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER SYSTEM RESET wal_writer_delay")
        cursor.execute("ALTER SYSTEM RESET wal_writer_flush_after")
        cursor.execute("SELECT pg_reload_conf()")


def set_for_everybody(setting):
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {connection.settings_dict['NAME']} SET {setting}")
    connections.close_all()
