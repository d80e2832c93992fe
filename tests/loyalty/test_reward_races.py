"""Many at once: stock, caps and codes hold, and each test shows that it fails without its protection."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection, connections
from django.db.models import Sum

from loyalty.models import PoolCode, Redemption, Reward
from loyalty.problems import InsufficientPoints
from loyalty.services import fulfilment, given_codes, offers, rewards
from loyalty.services.refusals import CapReached, CodeUsed, OutOfStock, TooLate
from tests.factories import make_business
from tests.loyalty.offers import make_offer
from tests.loyalty.offers import redeem as use_code
from tests.loyalty.rewards import (
    NOW,
    balance,
    fill_pool,
    hold,
    left,
    make_member,
    make_programme,
    make_reward,
    redeem,
)

pytestmark = pytest.mark.django_db(transaction=True)
CLIENTS = 8


@pytest.fixture(autouse=True)
def programme():
    make_business()
    return make_programme()


def at_once(actions):
    """The actions, each on a connection of its own, begun together: what each returned or how it was refused."""
    start = threading.Barrier(len(actions))

    def run(action):
        try:
            start.wait(timeout=60)
            return action()
        except (OutOfStock, CapReached, CodeUsed, InsufficientPoints, TooLate, OperationalError) as error:
            return type(error)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


def unguarded(monkeypatch):
    """Take a piece as it was when the reward was read: no guard in the UPDATE."""

    def take(reward):
        if reward.stock < 1:
            raise OutOfStock(reward)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.2)")
        Reward.objects.filter(pk=reward.pk).update(stock=reward.stock - 1)

    monkeypatch.setattr(rewards, "_take_stock", take)


@pytest.mark.parametrize("guarded", [True, False])
def test_stock_is_never_oversold(guarded, monkeypatch):
    """Eight customers want one of three mugs."""
    mug = make_reward(stock=3)
    members = [make_member(100) for _ in range(CLIENTS)]
    if not guarded:
        unguarded(monkeypatch)

    told = at_once([lambda member=member: redeem(member, mug) for member in members])

    sold = Redemption.objects.filter(reward=mug).count()
    if guarded:
        assert (sold, left(mug), told.count(OutOfStock)) == (3, 0, CLIENTS - 3)
        assert sum(balance(member) for member in members) == 100 * (CLIENTS - 3)
    else:
        assert sold > 3  # without the guard: the test would notice


@pytest.mark.parametrize("guarded", [True, False])
def test_a_cap_holds(guarded, monkeypatch):
    """One customer presses eight buttons of a reward that she can have twice."""
    customer, mug = make_member(1_000), make_reward(cap=2)
    if not guarded:
        monkeypatch.setattr(rewards.found, "had", lambda *args, **kwargs: 0)

    at_once([lambda: redeem(customer, mug) for _ in range(CLIENTS)])

    had = Redemption.objects.filter(reward=mug).count()
    assert had == 2 if guarded else had > 2
    assert balance(customer) == 1_000 - 100 * had


def test_a_cap_is_counted_under_the_account_s_lock(monkeypatch):
    """Counted before the points are spent, two could count the same: the order of the two is what holds the cap."""
    customer, mug = make_member(1_000), make_reward(cap=1)
    spend, write = rewards._spend, rewards._write
    counted = {}

    def early(wish, priced, **facts):
        counted[threading.get_ident()] = rewards.found.had(priced.reward, wish.customer_id, at=NOW)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.2)")
        return spend(wish, priced, **facts)

    def believing(wish, priced, **facts):
        with monkeypatch.context() as patch:
            patch.setattr(rewards.found, "had", lambda *args, **kwargs: counted[threading.get_ident()])
            return write(wish, priced, **facts)

    monkeypatch.setattr(rewards, "_spend", early)
    monkeypatch.setattr(rewards, "_write", believing)
    at_once([lambda: redeem(customer, mug) for _ in range(2)])

    assert Redemption.objects.filter(reward=mug).count() == 2


def test_a_balance_is_spent_once():
    """500 points, eight times 100 at once, half of them as holds."""
    customer, mug = make_member(500), make_reward()
    actions = [lambda: redeem(customer, mug)] * 4 + [lambda: hold(customer, mug)] * 4

    told = at_once(actions)

    assert told.count(InsufficientPoints) == 3
    assert balance(customer) == 0
    assert Redemption.objects.aggregate(all=Sum("points"))["all"] == 500


def test_the_same_key_at_once_is_one_redemption():
    customer, mug = make_member(500), make_reward(stock=5)

    told = at_once([lambda: redeem(customer, mug, key="twice").pk for _ in range(CLIENTS)])

    assert len(set(told)) == 1
    assert (balance(customer), left(mug), Redemption.objects.count()) == (400, 4, 1)


def test_each_code_goes_out_once():
    reward = make_reward(kind="code")
    fill_pool(reward, *(f"C{number}" for number in range(5)))
    members = [make_member(100) for _ in range(CLIENTS)]

    told = at_once([lambda member=member: redeem(member, reward).voucher for member in members])

    given = [one for one in told if isinstance(one, str)]
    assert sorted(given) == [f"C{number}" for number in range(5)]
    assert PoolCode.objects.filter(redemption=None).count() == 0


def test_commit_or_release_but_not_both():
    customer, mug = make_member(500), make_reward(stock=1)
    held = hold(customer, mug)
    actions = [lambda: rewards.commit(redemption_id=held.pk, at=NOW).redemption.state] * 4
    actions += [lambda: rewards.release(redemption_id=held.pk, at=NOW).redemption.state] * 4

    told = at_once(actions)

    (outcome,) = {one for one in told if isinstance(one, str)}
    assert told.count(TooLate) == 4
    assert (balance(customer), left(mug)) == ((400, 0) if outcome == "committed" else (500, 1))


def test_handed_over_or_cancelled_but_not_both():
    customer, mug = make_member(500), make_reward(stock=1)
    one = redeem(customer, mug)
    hand = {"redemption_ids": [one.pk], "state": Redemption.State.HANDED_OVER, "by": None}
    later = NOW + 2 * rewards.UNDO

    at_once(
        [
            lambda: fulfilment.mark(at=later, **hand),
            lambda: rewards.cancel(redemption_id=one.pk, at=later, reason="x"),
        ]
        * 3
    )

    one.refresh_from_db()
    assert (one.state, balance(customer), left(mug)) in {("handed_over", 400, 0), ("cancelled", 500, 1)}


def test_overdue_holds_give_their_stock_back_once():
    mug = make_reward(stock=5)
    for _ in range(5):
        hold(make_member(100), mug)
    late = NOW + 20 * rewards.UNDO

    told = at_once([lambda: fulfilment.release_overdue(at=late) for _ in range(4)])

    assert (sum(told), left(mug)) == (5, 5)


@pytest.mark.parametrize("is_locked", [True, False])
def test_a_code_is_used_or_taken_back_but_not_both(monkeypatch, is_locked):
    """It is cancelled between the look at the code and the use of it. Without the lock the points come back as well."""
    ada, reward = make_member(500), make_reward(kind="code", offer=make_offer())
    one = redeem(ada, reward)
    looked, cancelled = threading.Event(), threading.Event()
    count = offers._count

    def pause(*told):
        looked.set()
        cancelled.wait(timeout=0.7)
        count(*told)

    def cancel():
        looked.wait(timeout=30)
        try:
            return rewards.cancel(redemption_id=one.pk, at=NOW, reason="x").redemption.state
        finally:
            cancelled.set()

    monkeypatch.setattr(offers, "_count", pause)
    if not is_locked:
        monkeypatch.setattr(given_codes.offers, "lock", lambda offer: offer)
    told = at_once([lambda: use_code(one.offer_code, customer=ada, at=NOW).state, cancel])
    assert told == ["used", CodeUsed if is_locked else "cancelled"]
    assert balance(ada) == (400 if is_locked else 500)
