"""From paid with points to handed over: steps, codes that are shown, and holds that ran out."""

import pytest

from loyalty import codes
from loyalty.models import Redemption
from loyalty.services import fulfilment, points, rewards
from loyalty.services.refusals import NoSuchCode, TooLate
from tests.factories import make_business
from tests.loyalty.rewards import (
    DAY,
    MINUTE,
    NOW,
    balance,
    fill_pool,
    hold,
    left,
    make_member,
    make_programme,
    make_reward,
    redeem,
    state,
)

pytestmark = pytest.mark.django_db
State = Redemption.State


@pytest.fixture(autouse=True)
def programme():
    make_business()
    return make_programme()


def mark(*redemptions, to, at=NOW):
    return fulfilment.mark(redemption_ids=[one.pk for one in redemptions], state=to, at=at, by=None)


def test_it_works():
    one = redeem(make_member(), make_reward())

    assert mark(one, to=State.READY) == 1
    assert mark(one, to=State.HANDED_OVER, at=NOW + DAY) == 1

    one.refresh_from_db()
    assert (one.state, one.handled_at) == ("handed_over", NOW + DAY)


@pytest.mark.parametrize(
    ("before", "to", "done"),
    [
        ("committed", "ready", 1),
        ("committed", "sent", 1),
        ("ready", "sent", 1),
        ("ready", "ready", 0),
        ("sent", "handed_over", 0),
        ("cancelled", "handed_over", 0),
        ("released", "ready", 0),
    ],
)
def test_steps(before, to, done):
    one = redeem(make_member(), make_reward())
    Redemption.objects.filter(pk=one.pk).update(state=before)

    assert mark(one, to=State(to)) == done
    assert state(one) == (to if done else before)


def test_what_is_held_is_not_handed_over():
    held = hold(make_member(), make_reward())
    assert mark(held, to=State.HANDED_OVER) == 0


def test_many_at_once_and_those_that_moved_on_stay():
    customer, mug = make_member(), make_reward()
    several = [redeem(customer, mug) for _ in range(3)]
    mark(several[0], to=State.SENT)

    assert mark(*several, to=State.HANDED_OVER) == 2
    assert [state(one) for one in several] == ["sent", "handed_over", "handed_over"]


def test_a_code_that_is_shown():
    """However it is written; a second time it says when it was handed over, and the points stay spent once."""
    customer = make_member()
    one = redeem(customer, make_reward())
    shown = codes.shown(one.code).lower()

    assert fulfilment.show(code=f" {shown} ", at=NOW, by=None).pk == one.pk
    with pytest.raises(TooLate, match="handed over"):
        fulfilment.show(code=one.code, at=NOW, by=None)
    assert (state(one), balance(customer)) == ("handed_over", 400)


@pytest.mark.parametrize("text", ["", "?", "7K3M", "0000-0000-0000-0000", "SUMMER10"])
def test_a_code_that_nobody_knows(text):
    redeem(make_member(), make_reward())
    with pytest.raises(NoSuchCode):
        fulfilment.show(code=text, at=NOW, by=None)


def test_handing_over_is_undone_within_a_minute():
    one = redeem(make_member(), make_reward())
    fulfilment.show(code=one.code, at=NOW, by=None)

    assert not fulfilment.take_back(redemption_id=one.pk, at=NOW + MINUTE)
    assert fulfilment.take_back(redemption_id=one.pk, at=NOW + MINUTE / 2)
    assert state(one) == "committed"


def test_holds_that_ran_out():
    """Two of three mugs come back, the code too; the ledger gives the points back by itself, and once."""
    customer, mug, code = make_member(500), make_reward(stock=3), make_reward(kind="code")
    fill_pool(code, "A")
    ran_out = [hold(customer, mug), hold(customer, mug), hold(customer, code)]
    alive = hold(customer, mug, at=NOW + 10 * MINUTE)
    assert (balance(customer), left(mug)) == (100, 0)

    for _again in range(2):
        fulfilment.release_overdue(at=NOW + 15 * MINUTE)

    assert [state(one) for one in (*ran_out, alive)] == ["released"] * 3 + ["held"]
    assert left(mug) == 2
    points.settle(customer_id=customer.pk, at=NOW + 15 * MINUTE)
    assert balance(customer) == 400
    assert redeem(customer, code, at=NOW + 16 * MINUTE).voucher == "A"


def test_nothing_is_overdue():
    held = hold(make_member(), make_reward(stock=1))
    assert fulfilment.release_overdue(at=NOW + 14 * MINUTE) == 0
    assert rewards.commit(redemption_id=held.pk, at=NOW + 14 * MINUTE).redemption.state == "committed"
