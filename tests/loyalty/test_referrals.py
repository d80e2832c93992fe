"""Referrals: both get what was promised once the order is safe, tricks are looked at, and nothing is given twice."""

import pytest
from django.db import IntegrityError, transaction

from core.models import Role, User
from customers.models import Order
from loyalty import referral_refusals as refusals
from loyalty import sameness
from loyalty.models import Referral, ReferralCode, ReferralStep
from loyalty.selectors import referrals as found
from loyalty.services import referrals
from tests.loyalty.accounts import disagreements
from tests.loyalty.referrals import buy, claim, follow, make_person, open_for_friends, open_plan, spendable
from tests.loyalty.shop import DAY, NOW, line, order, refund, totals

pytestmark = pytest.mark.django_db
State = Referral.State


@pytest.fixture(autouse=True)
def plan():
    return open_for_friends()


@pytest.fixture
def ann():
    return make_person(name="Ann", email="ann@example.com", phone="+491701234567")


@pytest.fixture
def ben():
    return make_person(name="Ben", email="ben@example.com")


class TestTheStory:
    def test_both_get_their_points_once_the_order_is_safe(self, ann, ben):
        referral = claim(ann, ben)
        assert referral.state == State.PENDING
        buy(ben)
        follow(NOW + DAY)
        referral.refresh_from_db()
        assert (referral.state, referral.due_at) == (State.CONVERTED, NOW + 31 * DAY)
        assert (totals(ann), totals(ben)) == ((0, 500), (0, 300))
        follow(NOW + 31 * DAY)
        referral.refresh_from_db()
        assert referral.state == State.REWARDED
        assert (spendable(ann, NOW + 31 * DAY), spendable(ben, NOW + 31 * DAY)) == ((500, 0), (300, 0))
        assert disagreements() == []

    def test_again_changes_nothing(self, ann, ben):
        claim(ann, ben)
        buy(ben)
        for day in (1, 1, 2, 31, 31, 40):
            follow(NOW + day * DAY)
            buy(ben, at=NOW + day * DAY)
        follow(NOW + 41 * DAY)
        assert (spendable(ann, NOW + 41 * DAY), spendable(ben, NOW + 41 * DAY)) == ((500, 0), (300, 0))

    def test_one_sided(self, ann, ben):
        open_plan(friend_points=0)
        claim(ann, ben)
        buy(ben)
        follow(NOW + DAY)
        assert (totals(ann), totals(ben)) == ((0, 500), (0, 0))

    @pytest.mark.parametrize(("price", "counts"), [("19.99", False), ("20.00", True)])
    def test_the_order_has_to_come_to_enough_after_discount(self, ann, ben, price, counts):
        claim(ann, ben)
        order(ben, line("30.00", discount_cents=3_000 - int(price.replace(".", ""))), at=NOW + DAY)
        follow(NOW + DAY)
        assert (Referral.objects.get().state == State.CONVERTED) is counts

    def test_an_order_that_is_not_paid_does_not_count_yet(self, ann, ben):
        claim(ann, ben)
        buy(ben, number="1", status=Order.Status.PENDING)
        follow(NOW + DAY)
        assert Referral.objects.get().state == State.PENDING
        buy(ben, number="1")
        follow(NOW + DAY)
        assert Referral.objects.get().state == State.CONVERTED

    def test_no_order_in_time(self, ann, ben):
        claim(ann, ben)
        follow(NOW + 90 * DAY)
        assert Referral.objects.get().state == State.PENDING
        follow(NOW + 91 * DAY)
        assert Referral.objects.get().state == State.EXPIRED
        buy(ben, at=NOW + 92 * DAY)
        follow(NOW + 92 * DAY)
        assert totals(ann) == (0, 0)

    def test_what_is_promised_is_what_the_plan_says_when_the_friend_orders(self, ann, ben):
        claim(ann, ben)
        buy(ben)
        follow(NOW + DAY)
        open_plan(advocate_points=900)
        follow(NOW + 31 * DAY)
        assert spendable(ann, NOW + 31 * DAY) == (500, 0)


class TestWhatComesBack:
    def test_a_refund_before_the_points_are_active(self, ann, ben):
        claim(ann, ben)
        placed = buy(ben)
        follow(NOW + DAY)
        refund(placed, 1, at=NOW + 2 * DAY)
        follow(NOW + 2 * DAY)
        assert Referral.objects.get().state == State.REVERSED
        assert (totals(ann), totals(ben)) == ((0, 0), (0, 0))
        assert disagreements() == []

    def test_a_refund_after_they_were_active(self, ann, ben):
        claim(ann, ben)
        placed = buy(ben)
        follow(NOW + DAY)
        follow(NOW + 31 * DAY)
        refund(placed, 1, at=NOW + 40 * DAY)
        follow(NOW + 40 * DAY)
        follow(NOW + 41 * DAY)
        assert (spendable(ann, NOW + 41 * DAY), spendable(ben, NOW + 41 * DAY)) == ((0, 0), (0, 0))
        assert Referral.objects.get().state == State.REVERSED

    def test_a_part_that_leaves_enough_changes_nothing(self, ann, ben):
        claim(ann, ben)
        placed = buy(ben, "50.00")
        follow(NOW + DAY)
        refund(placed, 0, cents=3_000, at=NOW + 2 * DAY)
        follow(NOW + 2 * DAY)
        assert Referral.objects.get().state == State.CONVERTED
        refund(placed, 0, cents=1, at=NOW + 3 * DAY)
        follow(NOW + 3 * DAY)
        assert Referral.objects.get().state == State.REVERSED

    def test_a_cancelled_order(self, ann, ben):
        claim(ann, ben)
        buy(ben, number="1")
        follow(NOW + DAY)
        buy(ben, number="1", status=Order.Status.CANCELLED)
        follow(NOW + 2 * DAY)
        assert (Referral.objects.get().state, totals(ann)) == (State.REVERSED, (0, 0))


class TestRefusals:
    def test_the_own_code(self, ann):
        with pytest.raises(refusals.OwnCode):
            claim(ann, ann)

    def test_a_second_self_with_the_same_e_mail(self, ann):
        with pytest.raises(refusals.OwnCode):
            claim(ann, make_person(name="Ann again", email="ann@example.com"))

    def test_a_circle(self, ann, ben):
        cleo = make_person(name="Cleo")
        claim(ann, ben)
        claim(ben, cleo)
        with pytest.raises(refusals.InACircle):
            claim(cleo, ann)
        buy(ann)
        buy(ben)
        buy(cleo)
        follow(NOW + DAY)
        assert [totals(person)[1] for person in (ann, ben, cleo)] == [500, 300 + 500, 300]

    def test_who_has_ordered_before(self, ann, ben):
        buy(ben, at=NOW - DAY)
        with pytest.raises(refusals.NotNew):
            claim(ann, ben)

    @pytest.mark.parametrize("same", [{"email": "ben@example.com"}, {"phone": "+4930123456"}])
    def test_who_has_ordered_before_under_another_number(self, ann, ben, same):
        ben.phones.create(number="+4930123456")
        buy(make_person(**same), at=NOW - DAY)
        with pytest.raises(refusals.NotNew):
            claim(ann, ben)

    def test_an_older_order_that_comes_to_light_later(self, ann, ben):
        claim(ann, ben)
        buy(ben, at=NOW - DAY)
        buy(ben)
        follow(NOW + DAY)
        assert (Referral.objects.get().state, totals(ann)) == (State.REFUSED, (0, 0))

    def test_who_was_referred_already(self, ann, ben):
        claim(ann, ben)
        with pytest.raises(refusals.AlreadyReferred):
            claim(make_person(), ben)

    def test_the_limit_of_the_plan_and_of_the_code(self, ann, ben):
        open_plan(most_friends=1)
        claim(ann, ben)
        with pytest.raises(refusals.Limit):
            claim(ann, make_person())
        ReferralCode.objects.filter(customer=ann).update(max_uses=2)
        claim(ann, make_person())
        with pytest.raises(refusals.Limit):
            claim(ann, make_person())

    def test_what_came_to_nothing_does_not_count(self, ann, ben):
        open_plan(most_friends=1)
        claim(ann, ben)
        follow(NOW + 91 * DAY)
        claim(ann, make_person(), at=NOW + 91 * DAY)

    def test_a_code_before_its_time_and_after_it(self, ann, ben):
        code = referrals.code_for(customer_id=ann.pk, at=NOW)
        ReferralCode.objects.filter(pk=code.pk).update(ends_at=NOW + DAY)
        for at in (NOW - DAY, NOW + DAY):
            with pytest.raises(refusals.Expired):
                referrals.claim(text=code.code, customer_id=ben.pk, at=at)
        referrals.claim(text=code.code, customer_id=ben.pk, at=NOW)

    def test_an_end_is_told_by_its_day(self, ann, ben):
        code = referrals.code_for(customer_id=ann.pk, at=NOW)
        ReferralCode.objects.filter(pk=code.pk).update(ends_at=NOW + DAY)
        with pytest.raises(refusals.Expired, match="11 March 2026"):
            referrals.claim(text=code.code, customer_id=ben.pk, at=NOW + 2 * DAY)

    def test_a_plan_that_is_switched_off(self, ann, ben):
        open_plan(opened_at=None)
        with pytest.raises(refusals.Expired):
            claim(ann, ben)

    def test_look_alikes_are_read_as_they_are_meant(self, ann, ben):
        ReferralCode.objects.create(customer=ann, code="A0B1C0D1E0F1G0H1", starts_at=NOW)
        assert referrals.claim(text="aobl-codi-eofl-gohi", customer_id=ben.pk, at=NOW).advocate == ann

    def test_an_unknown_code(self, ben):
        with pytest.raises(refusals.Unknown):
            referrals.claim(text="no such code", customer_id=ben.pk, at=NOW)

    def test_the_database_holds_the_rules(self, ann, ben):
        first = claim(ann, ben)
        for wrong in ({"friend": ann}, {"state": State.HELD, "reasons": []}, {"state": State.REWARDED}):
            with pytest.raises(IntegrityError), transaction.atomic():
                Referral.objects.filter(pk=first.pk).update(**wrong)


class TestReview:
    @pytest.fixture
    def staff(self):
        return User.objects.create_user("m@example.com", "x", role=Role.MANAGER)

    def test_similar_addresses_wait_for_a_person_and_get_nothing_until_then(self, ann, staff):
        twin = make_person(email="a.n.n+shop@example.com")
        referral = claim(ann, twin)
        assert (referral.state, referral.reasons) == (State.HELD, ["similar_email"])
        buy(twin)
        follow(NOW + DAY)
        assert (totals(ann), totals(twin)) == ((0, 0), (0, 0))
        done = referrals.release(referral_id=referral.pk, by=staff, at=NOW + 2 * DAY)
        assert (done.state, done.decided_by, totals(ann), totals(twin)) == (State.CONVERTED, staff, (0, 500), (0, 300))

    def test_released_after_the_window_of_the_return_pays_at_once(self, ann, staff):
        twin = make_person(phone="+491701234567")
        referral = claim(ann, twin)
        assert referral.reasons == ["same_phone"]
        buy(twin)
        follow(NOW + DAY)
        referrals.release(referral_id=referral.pk, by=staff, at=NOW + 60 * DAY)
        follow(NOW + 60 * DAY)
        assert totals(ann) == (500, 0)

    def test_cancelled_nobody_gets_anything_ever(self, ann, staff):
        twin = make_person(phone="+491701234567")
        referral = claim(ann, twin)
        referrals.cancel(referral_id=referral.pk, by=staff, at=NOW, note="Same household, same card")
        buy(twin)
        follow(NOW + DAY)
        assert (Referral.objects.get().state, totals(ann), totals(twin)) == (State.CANCELLED, (0, 0), (0, 0))
        for decide in (referrals.release, lambda **asked: referrals.cancel(**asked, note="")):
            with pytest.raises(referrals.AlreadyDecided):
                decide(referral_id=referral.pk, by=staff, at=NOW)

    def test_many_from_one_internet_address_are_looked_at_and_not_refused(self, ann):
        caller = referrals.caller_of("203.0.113.7")
        made = [claim(ann, make_person(), caller=caller) for _ in range(found.MANY + 1)]
        assert [one.state for one in made] == [State.PENDING] * found.MANY + [State.HELD]
        assert made[-1].reasons == ["many_from_ip"]
        assert claim(ann, make_person(), caller=caller, at=NOW + found.MANY_WITHIN + DAY).state == State.PENDING

    def test_an_internet_address_is_not_kept(self):
        assert "203.0.113.7" not in referrals.caller_of("203.0.113.7")
        assert referrals.caller_of("203.0.113.7") != referrals.caller_of("203.0.113.8")


class TestSteps:
    @pytest.fixture(autouse=True)
    def steps(self):
        ReferralStep.objects.create(friends=2, points=1_000)
        ReferralStep.objects.create(friends=3, points=5_000)

    def bring(self, ann, count, at=NOW):
        placed = []
        for _ in range(count):
            friend = make_person()
            claim(ann, friend, at=at)
            placed.append(buy(friend, at=at + DAY))
        follow(at + DAY)
        follow(at + 31 * DAY)
        return placed

    def test_two_friends_bring_the_first_step_once(self, ann):
        self.bring(ann, 2)
        follow(NOW + 40 * DAY)
        assert spendable(ann, NOW + 40 * DAY) == (2 * 500 + 1_000, 0)

    def test_a_third_brings_the_next(self, ann):
        self.bring(ann, 2)
        self.bring(ann, 1, at=NOW + 50 * DAY)
        assert spendable(ann, NOW + 90 * DAY) == (3 * 500 + 6_000, 0)

    def test_an_order_that_comes_back_takes_the_step_and_another_friend_brings_it_again(self, ann):
        placed = self.bring(ann, 2)
        refund(placed[0], 1, at=NOW + 40 * DAY)
        follow(NOW + 40 * DAY)
        assert spendable(ann, NOW + 40 * DAY) == (500, 0)
        self.bring(ann, 1, at=NOW + 50 * DAY)
        assert spendable(ann, NOW + 90 * DAY) == (2 * 500 + 1_000, 0)
        assert disagreements() == []


@pytest.mark.parametrize(
    ("one", "other", "similar"),
    [
        ("a.b@x.de", "ab@x.de", True),
        ("ab+shop@x.de", "AB@x.de", True),
        ("ab@googlemail.com", "a.b@gmail.com", True),
        ("ab@x.de", "ab@y.de", False),
        ("ab@x.de", "abc@x.de", False),
    ],
)
def test_addresses_of_one_person(one, other, similar):
    assert sameness.are_similar([one], [other]) is similar


def test_nobody_without_an_address_is_anybody():
    assert not sameness.are_similar([], ["ab@x.de"])
