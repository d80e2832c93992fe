"""Many at once on one balance: exactly what it can pay for is paid, and without the lock the test would notice."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, OperationalError, connection, connections

from loyalty.models import Account, Allocation, Lot, Posting
from loyalty.problems import InsufficientPoints, KeyReused, LedgerProblem, SameAccount
from loyalty.services import merging, points
from tests.factories import make_customer
from tests.loyalty.accounts import DAY, NOW, disagreements, totals
from tests.loyalty.planted import definition, planted

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS = 8
LOCK = "FOR NO KEY UPDATE"
# The moment between looking and writing, long enough for the others to look too
MOMENT = "EXIT WHEN acct.merged_into_id IS NULL;"
SLOW = f"PERFORM pg_sleep(0.02); {MOMENT}"


@pytest.fixture
def customer(transactional_db):
    """100 points in four lots."""
    customer = make_customer()
    for number in range(4):
        expires_at = NOW + (number + 1) * DAY
        points.earn(customer_id=customer.pk, points=25, key=f"earn:{number}", at=NOW, expires_at=expires_at)
    return customer


def at_once(actions):
    """What each action gave, or the refusal or the error of the database that it met."""
    start = threading.Barrier(len(actions))

    def run(action):
        try:
            start.wait(timeout=60)
            return action()
        except (LedgerProblem, DatabaseError) as problem:
            return problem
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


def redeem(customer, key, amount=30):
    return lambda: points.redeem(customer_id=customer.pk, points=amount, key=key, at=NOW)


def paid(answers):
    return sum(isinstance(answer, Posting) for answer in answers)


def test_one_balance_pays_exactly_as_often_as_it_can(customer):
    with planted("loyalty_lock", MOMENT, SLOW):
        answers = at_once([redeem(customer, f"redeem:{number}") for number in range(CLIENTS)])
    assert paid(answers) == 3
    assert sum(isinstance(answer, InsufficientPoints) for answer in answers) == CLIENTS - 3
    assert totals(customer) == (10, 0, 0)
    assert disagreements() == []


def test_without_the_lock_it_would_not(customer):
    """The control: two look at the same balance. The constraints refuse some, and the verifier sees the rest."""
    with planted("loyalty_lock", MOMENT, SLOW), planted("loyalty_lock", LOCK, ""):
        answers = at_once([redeem(customer, f"redeem:{number}") for number in range(CLIENTS)])
    assert paid(answers) != 3 or disagreements()


def test_one_key_at_once_counts_once(customer):
    answers = at_once([redeem(customer, "the same")] * CLIENTS)
    assert len({answer.pk for answer in answers}) == 1
    assert totals(customer) == (70, 0, 0)


def test_without_looking_for_the_key_only_its_uniqueness_would_stop_them(customer):
    """The control: the others meet the unique key instead of the first one's posting."""
    with planted("loyalty_recall", "WHERE key = its_key", "WHERE key = its_key AND id < 0"):
        answers = at_once([redeem(customer, "the same")] * CLIENTS)
    assert sum(isinstance(answer, KeyReused) for answer in answers) == CLIENTS - 1
    assert totals(customer) == (70, 0, 0)


def test_one_key_on_two_accounts_at_once_counts_on_one_of_them(customer):
    other = make_customer()
    points.earn(customer_id=other.pk, points=100, key="other", at=NOW)
    answers = at_once([redeem(who, "the same") for who in (customer, other)])
    assert [type(answer) for answer in answers if not isinstance(answer, Posting)] == [KeyReused]
    assert totals(customer)[0] + totals(other)[0] == 170
    assert disagreements() == []


def test_the_first_points_of_a_customer_at_once_make_one_account(transactional_db):
    customer = make_customer()

    def earn(number):
        return lambda: points.earn(customer_id=customer.pk, points=1, key=f"earn:{number}", at=NOW)

    assert paid(at_once([earn(number) for number in range(CLIENTS)])) == CLIENTS
    assert Account.objects.count() == 1
    assert totals(customer) == (CLIENTS, 0, 0)


def test_a_hold_is_committed_or_released_but_not_both(customer):
    held = points.hold(customer_id=customer.pk, points=30, key="hold", at=NOW, until=NOW + DAY)
    ends = [points.commit, points.release] * (CLIENTS // 2)
    answers = at_once(
        [lambda end=end, key=f"end:{number}": end(hold_id=held.pk, at=NOW, key=key) for number, end in enumerate(ends)]
    )
    assert paid(answers) == 1
    assert disagreements() == []


def test_merges_at_once_in_both_directions(customer):
    other = make_customer()
    points.earn(customer_id=other.pk, points=50, key="other", at=NOW)
    pairs = [(customer, other), (other, customer)] * (CLIENTS // 2)
    answers = at_once(
        [
            lambda one=one, two=two, key=f"merge:{number}": merging.merge(into=one.pk, other=two.pk, key=key, at=NOW)
            for number, (one, two) in enumerate(pairs)
        ]
    )
    assert paid(answers) == 1
    assert sum(isinstance(answer, SameAccount) for answer in answers) == CLIENTS - 1
    assert totals(customer)[0] + totals(other)[0] == 150
    assert disagreements() == []


def test_spending_goes_on_while_accounts_are_merged(customer):
    other = make_customer()
    points.earn(customer_id=other.pk, points=50, key="other", at=NOW)
    actions = [redeem(who, f"redeem:{who.pk}:{number}", 10) for who in (customer, other) for number in range(3)]
    answers = at_once([*actions, lambda: merging.merge(into=customer.pk, other=other.pk, key="merge", at=NOW)])
    assert paid(answers) == 7
    assert totals(customer) == (90, 0, 0)
    assert disagreements() == []


def test_who_waits_too_long_is_told_so(customer, other_connection):
    lock = other_connection()
    lock.autocommit = False
    lock.execute("SELECT 1 FROM loyalty_account FOR NO KEY UPDATE")
    with (
        planted("loyalty_lock", "SET lock_timeout TO '3s'", "SET lock_timeout TO '50ms'"),
        pytest.raises(OperationalError, match="lock timeout"),
    ):
        redeem(customer, "redeem")()
    lock.close()
    redeem(customer, "redeem")()
    assert totals(customer) == (70, 0, 0)


def test_a_balance_is_never_more_than_its_lots(customer):
    """What the function itself would notice, were a lot to vanish."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        Lot.objects.filter(points_left=25).first().delete()
        cursor.execute("SET session_replication_role = origin")
    with pytest.raises(DatabaseError, match="hold less than its balance"):
        redeem(customer, "all", 100)()
    assert not Allocation.objects.exists()
    assert "3s" in definition("loyalty_lock")
