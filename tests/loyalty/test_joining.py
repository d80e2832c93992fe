"""What hangs on points when two customers are one person: redemptions, codes, tiers, referrals, events, gifts."""

import pytest

from customers.models import Merge
from loyalty.models import (
    Act,
    Action,
    BirthdayGiven,
    Event,
    Posting,
    Referral,
    ReferralCode,
    ReferralPlan,
    ReferralStep,
    Reply,
    Standing,
)
from loyalty.selectors import tiers as standings
from loyalty.services import joining, points, rewards, tiers
from tests.factories import make_business, make_customer
from tests.loyalty.accounts import DAY, NOW, disagreements, totals
from tests.loyalty.rewards import make_member, make_programme, make_reward, make_tier, redeem

pytestmark = pytest.mark.django_db
State = Referral.State


@pytest.fixture
def ada(db):
    make_business()
    make_programme()
    return make_member(120, name="Ada")


@pytest.fixture
def twin(ada):
    return make_member(30, name="Ada L.")


def join(into, other, at=NOW):
    Merge.objects.create(into=into, other=other, at=at)
    return joining.join(into=into, other=other, by=None, at=at)


def test_redemptions_follow_and_count_for_the_cap(ada, twin):
    reward = make_reward(cost_points=10, cap=1)
    had = redeem(twin, reward)
    assert join(ada, twin).redemptions == 1
    had.refresh_from_db()
    assert had.customer == ada
    with pytest.raises(rewards.CapReached):
        redeem(ada, reward)
    rewards.cancel(redemption_id=had.pk, at=NOW, reason="mistake")
    assert totals(ada) == (150, 0, 0)


def test_actions_and_gifts_are_counted_together(ada, twin):
    action = Action.objects.create(code="answer", name="Answer", points=5)
    posting = Posting.objects.filter(customer_id=twin.pk).first()
    Act.objects.create(action=action, customer=twin, key="answer:1", at=NOW, posting_id=posting.pk)
    for customer, day in ((ada, NOW.date()), (twin, NOW.date()), (twin, NOW.date() - 400 * DAY)):
        BirthdayGiven.objects.create(customer=customer, given_on=day, points=5)
    join(ada, twin)
    assert Act.objects.get().customer == ada
    assert BirthdayGiven.objects.filter(customer=ada).count() == 2


class TestTiers:
    @pytest.fixture
    def silver(self, ada):
        return make_tier(1, threshold=140)

    @pytest.fixture
    def gold(self, silver):
        return make_tier(2, threshold=1000)

    def test_both_together_reach_what_neither_did(self, ada, twin, silver):
        assert standings.tiers_at([ada.pk, twin.pk], NOW) == {}
        join(ada, twin)
        assert standings.tiers_at([ada.pk, twin.pk], NOW) == {ada.pk: silver}
        assert disagreements() == []

    def test_the_higher_tier_is_kept_until_its_day(self, ada, twin, gold):
        _stand(twin, gold)
        join(ada, twin)
        kept = Standing.objects.get()
        assert (kept.customer, kept.tier, kept.until) == (ada, gold, (NOW + 90 * DAY).date())
        assert disagreements() == []

    def test_the_lower_one_changes_nothing(self, ada, twin, silver, gold):
        _stand(ada, gold)
        _stand(twin, silver, days=200)
        join(ada, twin)
        assert Standing.objects.get().until == (NOW + 90 * DAY).date()

    def test_of_the_same_tier_the_later_day_counts(self, ada, twin, gold):
        _stand(ada, gold)
        _stand(twin, gold, days=200)
        join(ada, twin)
        assert Standing.objects.get().until == (NOW + 200 * DAY).date()

    def test_who_was_lowered_by_hand_stays_so(self, ada, twin, silver, gold):
        _stand(ada, gold)
        _stand(ada, silver)  # by hand, below what she had
        _stand(twin, gold)
        join(ada, twin)
        assert Standing.objects.get().tier == silver

    def test_the_other_reaches_nothing_any_more(self, ada, twin, silver):
        _stand(twin, silver)
        join(ada, twin)
        tiers.settle(customer_ids=[twin.pk], business=make_business(), at=NOW)
        assert not Standing.objects.filter(customer=twin).exists()


def _stand(customer, tier, days=90):
    until = (NOW + days * DAY).date()
    business, by = make_business(), None
    tiers.set_by_hand(customer_id=customer.pk, tier=tier, until=until, note="so", by=by, business=business, at=NOW)


class TestReferrals:
    @pytest.fixture(autouse=True)
    def plan(self, ada):
        ReferralPlan.objects.update_or_create(id=1, defaults={"opened_at": NOW - DAY})

    def test_whom_the_other_brought_the_one_has_brought(self, ada, twin):
        brought = _refer(twin, make_customer())
        join(ada, twin)
        brought.refresh_from_db()
        assert (brought.advocate, brought.state) == (ada, State.PENDING)
        assert ReferralCode.objects.get().customer == ada  # the printed one goes on to work

    def test_of_two_codes_the_other_s_ends(self, ada, twin):
        own, theirs = _code(ada), _code(twin)
        join(ada, twin)
        theirs.refresh_from_db()
        assert (own.customer, theirs.customer, theirs.ends_at) == (ada, twin, NOW)

    def test_who_brought_the_other_has_brought_the_one(self, ada, twin):
        brought = _refer(make_customer(), twin, state=State.REWARDED)
        join(ada, twin)
        brought.refresh_from_db()
        assert (brought.friend, brought.state) == (ada, State.REWARDED)

    @pytest.mark.parametrize("turned", [False, True])
    def test_nobody_recommends_herself(self, ada, twin, turned):
        own = _refer(*((twin, ada) if turned else (ada, twin)), state=State.CONVERTED)
        for number, customer in enumerate((own.advocate, own.friend)):
            name = ("advocate", "friend")[number]
            points.earn(
                customer_id=customer.pk, points=50, key=f"referral:{own.pk}:{name}", at=NOW, active_at=NOW + DAY
            )
        join(ada, twin)
        own.refresh_from_db()
        assert own.state == State.REVERSED
        assert totals(ada) == (150, 0, 0)
        assert disagreements() == []

    def test_what_waits_is_cancelled(self, ada, twin):
        own = _refer(ada, twin)
        join(ada, twin)
        own.refresh_from_db()
        assert (own.state, own.note) == (State.CANCELLED, "Both were one person")

    def test_nobody_is_recommended_twice(self, ada, twin):
        first, second = _refer(make_customer(), ada), _refer(make_customer(), twin)
        join(ada, twin)
        for one in (first, second):
            one.refresh_from_db()
        assert (first.state, second.state) == (State.PENDING, State.CANCELLED)

    def test_a_step_that_was_given_is_not_given_again(self, ada, twin):
        ReferralStep.objects.create(friends=1, points=40)
        _refer(ada, make_customer(), state=State.REWARDED)
        _refer(twin, make_customer(), state=State.REWARDED)
        points.earn(customer_id=twin.pk, points=40, key=f"referral_step:{twin.pk}:1:1", at=NOW)
        join(ada, twin)
        assert totals(ada) == (190, 0, 0)


def _code(customer):
    code = f"ADA{customer.pk:05}"
    return ReferralCode.objects.get_or_create(customer=customer, defaults={"code": code, "starts_at": NOW - DAY})[0]


def _refer(advocate, friend, state=State.PENDING):
    paid = {"order_id": 1, "converted_at": NOW, "due_at": NOW, "advocate_points": 50, "friend_points": 50}
    return Referral.objects.create(
        code=_code(advocate),
        advocate=advocate,
        friend=friend,
        state=state,
        claimed_at=NOW - DAY,
        **(paid if state in (State.CONVERTED, State.REWARDED) else {}),
    )


class TestEvents:
    @pytest.fixture
    def event(self, ada):
        when = {"starts_at": NOW + 9 * DAY, "visible_from": NOW, "reply_by": NOW + 8 * DAY}
        return Event.objects.create(name="Tasting", places=2, **when)

    def test_she_comes_once_and_who_waits_moves_up(self, ada, twin, event):
        third = make_customer()
        for customer, state in ((ada, "yes"), (twin, "yes"), (third, "waiting")):
            _reply(event, customer, state)
        join(ada, twin)
        assert _replies(event) == {ada.pk: "yes", third.pk: "yes"}
        event.refresh_from_db()
        assert event.taken == 2

    def test_the_better_of_two_answers_holds(self, ada, twin, event):
        _reply(event, ada, "no")
        _reply(event, twin, "yes")
        join(ada, twin)
        assert _replies(event) == {ada.pk: "yes"}
        event.refresh_from_db()
        assert event.taken == 1


def _reply(event, customer, state):
    Reply.objects.create(event=event, customer=customer, state=state, since=NOW)
    event.taken += state == "yes"
    event.save(update_fields=["taken"])


def _replies(event):
    return dict(event.replies.values_list("customer_id", "state"))
