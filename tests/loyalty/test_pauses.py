"""The programme rests: nothing is earned or redeemed, nobody loses anything, and it goes on."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from core import feed
from core.models import Edit, Role, User
from loyalty.models import Action, Hold, Pause, Programme, Redemption
from loyalty.referral_refusals import Expired
from loyalty.selectors import quotes
from loyalty.services import actions, crediting, pauses, points, rewards
from loyalty.services.refusals import Paused
from loyalty.services.rewards import Wish
from tests.api.callers import caller
from tests.factories import make_business, make_customer
from tests.forms import send
from tests.loyalty.referrals import claim, make_person, open_plan
from tests.loyalty.rewards import make_member, make_programme
from tests.loyalty.shop import DAY, NOW, Policy, credit, line, make_rule, open_programme, order, refund, totals

pytestmark = pytest.mark.django_db
PLACE = Redemption.Place.TILL


def at(day):
    return datetime(2026, 2, day, 12, tzinfo=UTC)


def a_pause(*, counts_orders):
    """100 before it, 50 within it, 25 after it; orders come in as they are placed. Ends on 20 February.

    The feed has been read so far, so that orders of the pause come from the pause alone.
    """
    make_business(currency="EUR", time_zone="Europe/Berlin")
    feed.position(crediting.REACTION)
    feed.advance(crediting.REACTION, feed.horizon())
    open_programme(pending_days=0)
    make_rule()
    ada = make_customer()
    credit(before := order(ada, line("100.00"), at=at(1)), at=at(1))
    pauses.pause(at=at(10))
    credit(within := order(ada, line("50.00"), at=at(12)), at=at(12))
    assert totals(ada) == (100, 0)
    pauses.resume(counts_orders=counts_orders, at=at(20), by=None)
    crediting.credit(at=at(20))
    credit(order(ada, line("25.00"), at=at(21)), at=at(21))
    return ada, before, within


class TestOrders:
    def test_they_earn_nothing(self):
        """100 + 0 + 25, also when an order of the pause is corrected later."""
        ada, _before, within = a_pause(counts_orders=False)
        credit(order(ada, line("60.00"), at=at(12), number=within.external_id), at=at(22))
        assert totals(ada) == (125, 0)

    def test_they_count_after_all(self):
        """100 + 50 + 25, once."""
        ada, *_orders = a_pause(counts_orders=True)
        crediting.credit(at=at(23))
        assert totals(ada) == (175, 0)
        assert Pause.objects.get().credited_at == at(20)

    def test_what_a_crash_left_is_credited_next_time(self, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(crediting, "_after_pauses", lambda at: 0)
            ada, *_orders = a_pause(counts_orders=True)
        assert totals(ada) == (125, 0)
        crediting.credit(at=at(24))
        assert totals(ada) == (175, 0)

    def test_an_order_of_before_comes_late_and_refunds_take_back(self):
        """100 − 100 refunded + 30 of 9 February."""
        make_business(currency="EUR", time_zone="Europe/Berlin")
        open_programme(pending_days=0, refund_policy=Policy.WITHIN_BALANCE)
        make_rule()
        ada = make_customer()
        credit(placed := order(ada, line("100.00"), at=at(1)), at=at(1))
        pauses.pause(at=at(10))
        refund(placed, 1, at=at(11))
        credit(placed, order(ada, line("30.00"), at=at(9)), at=at(11))
        assert totals(ada) == (30, 0)


class TestSpending:
    def test_it_is_refused_and_what_was_held_can_be_redeemed(self):
        """100: 40 held before the pause and redeemed in it, nothing more; 60 stay."""
        make_business()
        make_programme()
        ada = make_member(100, at=NOW)
        wish = Wish(customer_id=ada.pk, points=40)
        held = rewards.hold(wish=wish, key="h", at=NOW, place=PLACE)
        pauses.pause(at=NOW)
        for refuse in (rewards.redeem, rewards.hold):
            with pytest.raises(Paused):
                refuse(wish=wish, key="x", at=NOW, place=PLACE)
        assert rewards.commit(redemption_id=held.redemption.pk, at=NOW).balance == 60
        assert totals(ada) == (60, 0)
        assert Hold.objects.get().state == Hold.State.COMMITTED

    def test_the_same_key_again_is_the_first_redemption(self):
        make_business()
        make_programme()
        ada = make_member(100, at=NOW)
        wish = Wish(customer_id=ada.pk, points=40)
        first = rewards.redeem(wish=wish, key="k", at=NOW, place=PLACE)
        pauses.pause(at=NOW)
        again = rewards.redeem(wish=wish, key="k", at=NOW, place=PLACE)
        assert (again.redemption.pk, again.balance) == (first.redemption.pk, 60)

    def test_programs_are_told(self):
        make_business()
        make_programme()
        api, ada = caller("loyalty"), make_member(100, at=timezone.now())
        pauses.pause(at=timezone.now())
        answer = api.post(f"/api/v1/points/{ada.pk}/redeem/", {"points": 10}, Idempotency_Key="k")
        assert answer.status_code == 409
        assert answer.json()["errors"][0]["code"] == "programme_paused"
        assert api.get(f"/api/v1/points/{ada.pk}/").json()["balance"] == 100

    def test_nothing_is_promised(self):
        business = make_business()
        make_programme()
        ada = make_member(100, at=NOW)
        pauses.pause(at=NOW)
        quote = quotes.quote(customer_id=ada.pk, lines=[], business=business, at=NOW)
        assert (quote.earns, quote.spend_points, quote.card.points.balance) == (0, 0, 100)

    def test_time_goes_on(self):
        make_business()
        make_programme()
        ada = make_customer()
        points.earn(customer_id=ada.pk, points=10, key="e", at=NOW, expires_at=NOW + 5 * DAY)
        pauses.pause(at=NOW + DAY)
        points.settle(customer_id=ada.pk, at=NOW + 6 * DAY)
        assert totals(ada) == (0, 0)


def test_nobody_is_recommended_meanwhile():
    make_business()
    make_programme()
    open_plan()
    ada = make_person()
    pauses.pause(at=NOW)
    with pytest.raises(Expired):
        claim(ada, make_person())
    pauses.resume(counts_orders=False, at=NOW + DAY, by=None)
    assert claim(ada, make_person(), at=NOW + DAY)


def test_actions_bring_nothing():
    make_business()
    make_programme()
    Action.objects.create(code="review", name="Review", points=50)
    pauses.pause(at=NOW)
    assert actions.act(customer_id=make_customer().pk, action="review", key="r", at=NOW) is None


class TestPages:
    @pytest.fixture
    def manager(self, client):
        make_business(currency="EUR", time_zone="Europe/Berlin")
        client.force_login(User.objects.create(email="m@example.com", role=Role.MANAGER))
        return client

    def test_pause_and_go_on(self, manager):
        open_programme()
        assert "Time goes on" in manager.get("/loyalty/pause/").content.decode()
        manager.post("/loyalty/pause/", {"pause": "1"})
        assert Programme.objects.get().is_paused
        assert "Paused since" in manager.get("/loyalty/").content.decode()
        assert Edit.objects.filter(table="loyalty_programme", changes__has_key="paused_at").exists()
        send(manager, "/loyalty/pause/", resume="1")
        assert Programme.objects.get().is_running
        assert not Pause.objects.get().counts_orders
        assert "earned nothing" in manager.get("/loyalty/").content.decode()

    def test_twice_is_told(self, manager):
        open_programme()
        manager.post("/loyalty/pause/", {"pause": "1"})
        answer = manager.post("/loyalty/pause/", {"pause": "1"}, follow=True)
        assert "paused already" in answer.content.decode()

    def test_going_on_needs_an_answer(self, manager):
        open_programme(paused_at=timezone.now())
        assert manager.post("/loyalty/pause/", {"resume": "1"}).status_code == 422
        assert Programme.objects.get().is_paused

    def test_a_programme_that_is_off_cannot_pause(self, manager):
        open_programme(opened_at=None)
        assert manager.post("/loyalty/pause/", {"pause": "1"}).status_code == 302
        assert not Programme.objects.get().is_paused

    def test_the_till_says_so(self, manager):
        make_programme(paused_at=timezone.now())
        ada = make_member(500, at=timezone.now())
        page = manager.get(f"/till/{ada.pk}/").content.decode()
        assert "programme is paused" in page
        assert "500" in page
