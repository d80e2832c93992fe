"""Codes of offers that customers get for points: what they are, and what cancelling makes of them."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from loyalty.models import Code, Offer, Redemption
from loyalty.offer_refusals import Refused
from loyalty.selectors.offers import fit_to_give
from loyalty.selectors.wallet import wallet
from loyalty.services import fulfilment, rewards
from loyalty.services.refusals import CodeUsed, NotOffered
from tests.factories import make_business
from tests.loyalty import offers
from tests.loyalty.offers import make_offer
from tests.loyalty.rewards import (
    DAY,
    MINUTE,
    NOW,
    balance,
    hold,
    left,
    make_member,
    make_programme,
    make_reward,
    redeem,
    state,
)

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def reward():
    make_business(time_zone="Europe/Berlin")
    make_programme()
    with timezone.override(BERLIN):
        yield make_reward(kind="code", offer=make_offer(), code_days=10, stock=3)


def cancel(one, at=NOW + DAY):
    return rewards.cancel(redemption_id=one.pk, at=at, reason="Changed her mind")


def test_it_works(reward):
    """A code of 16 characters for her alone, good through the tenth day, in her wallet; it takes 10 % off once."""
    ada = make_member()
    one = redeem(ada, reward)
    code = one.offer_code
    assert (len(code.code), code.shown, code.holder, code.max_uses) == (16, one.voucher, ada, 1)
    assert code.expires_at == datetime(2026, 3, 21, tzinfo=BERLIN)
    (ticket,) = wallet(ada.pk, at=NOW, business=make_business())
    assert (ticket.code, ticket.terms[1]) == (code, "Until 20 March 2026.")

    with pytest.raises(Refused, match="another customer"):
        offers.redeem(code, at=NOW)
    assert offers.redeem(code, customer=ada, at=NOW).discount_cents == 1_000
    assert (balance(ada), left(reward), state(one)) == (400, 2, "sent")


def test_the_same_key_gives_one_code(reward):
    ada = make_member()
    assert redeem(ada, reward, key="k").voucher == redeem(ada, reward, key="k").voucher
    assert (Code.objects.count(), balance(ada)) == (1, 400)


def test_a_code_that_is_over_says_when(reward):
    ada = make_member()
    code = redeem(ada, reward).offer_code
    with pytest.raises(Refused, match="expired on 20 March 2026"):
        offers.redeem(code, customer=ada, at=code.expires_at)
    assert offers.redeem(code, customer=ada, at=code.expires_at - MINUTE)


def test_cancelled_while_nobody_used_it(reward):
    ada = make_member()
    one = redeem(ada, reward)
    assert [cancel(one).balance for _twice in range(2)] == [500, 500]
    assert (state(one), left(reward), wallet(ada.pk, at=NOW, business=make_business())) == ("cancelled", 3, [])
    with pytest.raises(Refused, match="blocked"):
        offers.redeem(one.offer_code, customer=ada, at=NOW)


def test_not_cancelled_once_it_is_used(reward):
    ada = make_member()
    one = redeem(ada, reward)
    offers.redeem(one.offer_code, customer=ada, at=NOW)
    with pytest.raises(CodeUsed):
        cancel(one, at=NOW)
    assert (state(one), balance(ada), Code.objects.get().blocked_at) == ("sent", 400, None)


def test_a_hold_gives_the_code_when_it_is_committed(reward):
    ada = make_member()
    one = hold(ada, reward)
    assert not Code.objects.exists()
    done = [rewards.commit(redemption_id=one.pk, at=NOW).redemption.voucher for _twice in range(2)]
    assert done == [Code.objects.get().shown] * 2
    hold(make_member(), reward)
    assert fulfilment.release_overdue(at=NOW + DAY) == 1
    assert Code.objects.count() == 1


@pytest.mark.parametrize("over", [{"state": "ended"}, {"state": "paused"}, {"ends_at": NOW}])
def test_not_offered_when_the_offer_is_over(reward, over):
    Offer.objects.update(**over)
    ada = make_member()
    with pytest.raises(NotOffered):
        redeem(ada, reward)
    assert (balance(ada), Redemption.objects.count()) == (500, 0)


def test_only_offers_that_will_work_are_given():
    fit = make_offer()
    for limit in ({"max_uses": 5}, {"max_per_customer": 1}, {"max_per_day": 1}, {"budget_cents": 1}):
        make_offer(**limit)
    for other in ({"state": "paused"}, {"holder_only": False}):
        make_offer(**other)
    assert list(fit_to_give()) == [fit]
