"""What points buy: stories with totals of points, stock and caps."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction

from loyalty.models import PoolCode, Posting, Redemption, RewardPrice
from loyalty.problems import InsufficientPoints, KeyReused
from loyalty.services import points, rewards
from loyalty.services.refusals import CapReached, NotOffered, OutOfStock, TooLate
from tests.factories import make_business
from tests.loyalty.rewards import (
    DAY,
    MINUTE,
    NOW,
    balance,
    fill_pool,
    hold,
    left,
    lots,
    make_member,
    make_programme,
    make_reward,
    make_tier,
    redeem,
    stand,
    state,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def programme():
    make_business()
    return make_programme(grace_days=30, hold_minutes=15)


def test_it_works():
    """500 points, a mug of 100 out of 3: 400 points and 2 mugs are left, and one redemption waits."""
    customer, mug = make_member(500), make_reward(stock=3)

    one = redeem(customer, mug)

    assert (balance(customer), left(mug), one.state, one.points) == (400, 2, "committed", 100)
    assert len(one.code) == 16
    spent = Posting.objects.get(pk=one.posting_id)
    assert (spent.kind, spent.points, spent.reason) == ("redeem", -100, mug.name)


def test_redeem_cancel_redeem():
    """Two are bought, one comes back with its points and its piece."""
    customer, mug = make_member(500), make_reward(stock=2)
    first, _second = redeem(customer, mug), redeem(customer, mug)
    assert (balance(customer), left(mug)) == (300, 0)

    rewards.cancel(redemption_id=first.pk, at=NOW + DAY, reason="Broken")
    assert (balance(customer), left(mug), state(first)) == (400, 1, "cancelled")
    assert Redemption.objects.get(pk=first.pk).note == "Broken"

    redeem(customer, mug)
    assert (balance(customer), left(mug)) == (300, 0)


def test_cancelling_twice_gives_back_once():
    customer, mug = make_member(500), make_reward(stock=2)
    one = redeem(customer, mug)

    for _again in range(2):
        done = rewards.cancel(redemption_id=one.pk, at=NOW, reason="Twice")

    assert (done.balance, balance(customer), left(mug)) == (500, 500, 2)


def test_points_that_come_back_after_their_lot_expired_get_the_grace():
    customer, mug = make_member(500, expires_at=NOW + DAY), make_reward()
    one = redeem(customer, mug)

    done = rewards.cancel(redemption_id=one.pk, at=NOW + 5 * DAY, reason="Not there")

    assert (done.balance, lots(customer)) == (100, [0, 100])


def test_points_into_money():
    """250 points at 0.50 for 100 take 1.25 off."""
    make_programme(worth_cents=50)
    customer = make_member(300)

    one = redeem(customer, points=250, place="till")

    assert (one.money_off_cents, one.reward, one.state, balance(customer)) == (125, None, "handed_over", 50)


def test_not_enough_points():
    customer, mug = make_member(99), make_reward(stock=1)

    with pytest.raises(InsufficientPoints) as refused:
        redeem(customer, mug)

    assert refused.value.balance == 99
    assert (balance(customer), left(mug), Redemption.objects.count()) == (99, 1, 0)


def test_nobody_has_points_without_an_account():
    with pytest.raises(InsufficientPoints):
        redeem(make_member(0), make_reward())


def test_out_of_stock_costs_nothing():
    customer, mug = make_member(500), make_reward(stock=0)

    with pytest.raises(OutOfStock, match="out of stock"):
        redeem(customer, mug)

    assert (balance(customer), lots(customer), Redemption.objects.count()) == (500, [500], 0)


def test_the_database_refuses_a_stock_below_zero():
    mug = make_reward(stock=0)
    mug.stock = -1
    with pytest.raises(IntegrityError, match="stock_of_a_reward_is_not_below_zero"), transaction.atomic():
        mug.save(update_fields=["stock"])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"visible_from": NOW + DAY}, "is offered from"),
        ({"visible_until": NOW}, "was offered until"),
        ({"archived_at": NOW - DAY}, "no longer offered"),
    ],
)
def test_what_is_not_offered(fields, words):
    customer, mug = make_member(500), make_reward(**fields)

    with pytest.raises(NotOffered, match=words):
        redeem(customer, mug)

    assert balance(customer) == 500


def test_an_unknown_reward():
    customer = make_member(500)
    gone = make_reward()
    gone.delete()
    gone.pk = 10**9
    with pytest.raises(NotOffered, match="no such reward"):
        redeem(customer, gone)


def test_a_cap_counts_what_stands():
    """Two ever: the third is refused, one cancelled makes room."""
    customer, other, mug = make_member(900), make_member(900), make_reward(cap=2)
    first = redeem(customer, mug)
    redeem(customer, mug)
    with pytest.raises(CapReached, match="2 times"):
        redeem(customer, mug)
    assert balance(customer) == 700

    redeem(other, mug)
    rewards.cancel(redemption_id=first.pk, at=NOW, reason="No")
    redeem(customer, mug)
    assert (balance(customer), balance(other)) == (700, 800)


@pytest.mark.parametrize(
    ("period", "again_at"),
    [
        ("day", datetime(2026, 3, 10, 23, tzinfo=UTC)),  # the 11th in Berlin
        ("month", datetime(2026, 3, 31, 22, tzinfo=UTC)),  # April in Berlin, on summer time
        ("year", datetime(2026, 12, 31, 23, tzinfo=UTC)),
    ],
)
def test_a_cap_of_a_period_begins_anew_in_the_zone_of_the_business(period, again_at):
    make_business(time_zone="Europe/Berlin")
    customer, mug = make_member(500), make_reward(cap=1, cap_period=period)
    redeem(customer, mug)
    with pytest.raises(CapReached):
        redeem(customer, mug, at=again_at - MINUTE)

    redeem(customer, mug, at=again_at)

    assert balance(customer) == 300


def test_the_same_key_is_the_same_redemption():
    customer, mug = make_member(500), make_reward(stock=5, cap=1)

    first, second = redeem(customer, mug, key="a"), redeem(customer, mug, key="a")

    assert first.pk == second.pk
    assert (balance(customer), left(mug)) == (400, 4)


def test_the_same_key_for_something_else_is_refused():
    customer, mug, cup = make_member(500), make_reward(), make_reward()
    redeem(customer, mug, key="a")

    for other in ({"reward": cup}, {"points": 50}):
        with pytest.raises(KeyReused):
            redeem(customer, key="a", **other)
    with pytest.raises(KeyReused):
        redeem(make_member(500), mug, key="a")
    assert balance(customer) == 400


def test_a_tier_pays_its_price():
    """500 for all, 400 from silver, 300 from gold; platinum has gold's, and bronze none of its own."""
    bronze, silver, gold, platinum = (make_tier(rank) for rank in (1, 2, 3, 4))
    mug = make_reward(cost_points=500)
    RewardPrice.objects.create(reward=mug, tier=silver, cost_points=400)
    RewardPrice.objects.create(reward=mug, tier=gold, cost_points=300)

    paid = []
    for tier in (None, bronze, silver, gold, platinum):
        customer = make_member(1_000)
        if tier:
            stand(customer, tier)
        paid.append(redeem(customer, mug).points)

    assert paid == [500, 500, 400, 300, 300]


def test_a_tier_that_ended_pays_no_less():
    silver, mug, customer = make_tier(1, threshold=10**6), make_reward(cost_points=500), make_member(1_000)
    RewardPrice.objects.create(reward=mug, tier=silver, cost_points=400)
    stand(customer, silver, ends_on=NOW.date() - 40 * DAY, until=NOW.date() - DAY)

    assert redeem(customer, mug).points == 500


def test_early_access_of_a_tier():
    """Gold sees a reward three days before the others; both see it when it begins, and neither when it is over."""
    mug = make_reward(visible_from=NOW + 3 * DAY, visible_until=NOW + 9 * DAY)
    gold, other = make_member(500), make_member(500)
    stand(gold, make_tier(1, early_days=3))

    with pytest.raises(NotOffered):
        redeem(gold, mug, at=NOW - MINUTE)
    redeem(gold, mug, at=NOW)
    with pytest.raises(NotOffered):
        redeem(other, mug, at=NOW + 3 * DAY - MINUTE)
    redeem(other, mug, at=NOW + 3 * DAY)
    with pytest.raises(NotOffered):
        redeem(gold, mug, at=NOW + 9 * DAY)

    assert (balance(gold), balance(other)) == (400, 400)


# Holds


def test_hold_and_commit():
    """Points, stock and cap are set aside at once, and spent when it is committed."""
    customer, mug = make_member(500), make_reward(stock=1, cap=1)

    held = hold(customer, mug)
    assert (balance(customer), left(mug), held.state) == (400, 0, "held")
    with pytest.raises(CapReached):
        redeem(customer, mug)

    done = rewards.commit(redemption_id=held.pk, at=NOW + MINUTE)
    assert (done.redemption.state, done.balance, left(mug)) == ("committed", 400, 0)
    assert rewards.commit(redemption_id=held.pk, at=NOW + DAY).redemption.posting_id == done.redemption.posting_id


def test_hold_and_release():
    customer, mug = make_member(500), make_reward(stock=1, cap=1)
    held = hold(customer, mug)

    for at in (NOW + MINUTE, NOW + DAY):
        done = rewards.release(redemption_id=held.pk, at=at)

    assert (done.balance, left(mug), state(held), lots(customer)) == (500, 1, "released", [500])
    redeem(customer, mug)
    assert (balance(customer), left(mug)) == (400, 0)


def test_what_was_decided_stays():
    customer = make_member(500)
    committed, released = hold(customer, points=100), hold(customer, points=50)
    rewards.commit(redemption_id=committed.pk, at=NOW)
    rewards.release(redemption_id=released.pk, at=NOW)

    with pytest.raises(TooLate):
        rewards.release(redemption_id=committed.pk, at=NOW)
    with pytest.raises(TooLate, match="released"):
        rewards.commit(redemption_id=released.pk, at=NOW)

    assert balance(customer) == 400


def test_a_hold_that_ran_out_cannot_be_committed():
    customer, mug = make_member(500), make_reward(stock=1)
    held = hold(customer, mug)

    with pytest.raises(TooLate):
        rewards.commit(redemption_id=held.pk, at=NOW + 15 * MINUTE)

    done = rewards.release(redemption_id=held.pk, at=NOW + 16 * MINUTE)
    assert (done.balance, left(mug), state(held)) == (500, 1, "released")


def test_a_hold_that_ran_out_counts_against_no_cap():
    customer, mug = make_member(500), make_reward(cap=1)
    hold(customer, mug)

    redeem(customer, mug, at=NOW + 15 * MINUTE)

    assert balance(customer) == 400


def test_a_committed_hold_is_cancelled_whole():
    customer, mug = make_member(500), make_reward(stock=1)
    held = hold(customer, mug)
    rewards.commit(redemption_id=held.pk, at=NOW)

    done = rewards.cancel(redemption_id=held.pk, at=NOW, reason="No")

    assert (done.balance, left(mug)) == (500, 1)


def test_a_hold_is_not_cancelled_but_released():
    customer = make_member(500)
    held = hold(customer, points=100)

    with pytest.raises(TooLate):
        rewards.cancel(redemption_id=held.pk, at=NOW, reason="No")

    assert balance(customer) == 400


def test_the_same_hold_again_holds_once():
    customer, mug = make_member(500), make_reward(stock=5)

    first, second = hold(customer, mug, key="a"), hold(customer, mug, key="a")

    assert (first.pk, balance(customer), left(mug)) == (second.pk, 400, 4)


# What is handed over


@pytest.mark.parametrize("place", ["portal", "api", "till"])
def test_what_was_handed_over_is_taken_back_within_a_minute(place):
    customer, mug = make_member(500), make_reward(stock=1)
    one = redeem(customer, mug, place=place)
    Redemption.objects.filter(pk=one.pk).update(state="handed_over", handled_at=NOW)

    with pytest.raises(TooLate, match="handed over"):
        rewards.cancel(redemption_id=one.pk, at=NOW + MINUTE, reason="Late")
    assert (balance(customer), left(mug)) == (400, 0)

    rewards.cancel(redemption_id=one.pk, at=NOW + MINUTE - DAY / 86_400, reason="In time")
    assert (balance(customer), left(mug)) == (500, 1)


# Codes of a pool


def test_codes_go_out_once_the_oldest_first():
    customer, reward = make_member(500), make_reward(kind="code")
    fill_pool(reward, "A1", "B2")

    given = [redeem(customer, reward) for _again in range(2)]

    assert [(one.voucher, one.state) for one in given] == [("A1", "sent"), ("B2", "sent")]
    with pytest.raises(OutOfStock):
        redeem(customer, reward)
    assert balance(customer) == 300


def test_a_code_that_was_seen_does_not_go_out_again():
    customer, reward = make_member(500), make_reward(kind="code")
    fill_pool(reward, "A1", "B2")
    one = redeem(customer, reward, place="till")

    rewards.cancel(redemption_id=one.pk, at=NOW, reason="Undone")

    assert redeem(customer, reward).voucher == "B2"


def test_a_code_out_of_a_hold_goes_back():
    customer, reward = make_member(500), make_reward(kind="code")
    fill_pool(reward, "A1")
    held = hold(customer, reward)
    rewards.release(redemption_id=held.pk, at=NOW)

    assert redeem(customer, reward).voucher == "A1"
    assert PoolCode.objects.get().redemption.state == "sent"


def test_a_statement_says_what_it_was():
    customer, mug = make_member(500), make_reward(name="Blue mug")
    redeem(customer, mug)
    points.settle(customer_id=customer.pk, at=NOW)

    assert Posting.objects.filter(reason="Blue mug").count() == 1
