"""What happens to points, tiers, rewards and referrals is told to webhooks, with the transaction in which it does."""

from datetime import date

import pytest
from django.db import connection, transaction

from core.models import Delivery, Event
from crm.webhook_kinds import KINDS
from loyalty.models import Move, Redemption, Referral, ReferralPlan, Tier
from loyalty.services import expiring, points, referrals
from tests.core.test_webhooks import make_webhook
from tests.factories import make_business, make_customer
from tests.loyalty.accounts import DAY, NOW
from tests.loyalty.shop import OPENED, line, open_programme, order

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    make_business(time_zone="Europe/Berlin")
    return make_customer(name="Ann")


def told():
    return [(event.kind, event.data) for event in Event.objects.order_by("pk")]


def kinds():
    return [kind for kind, _data in told()]


def test_the_life_of_points(ann):
    make_webhook()
    earned = points.earn(customer_id=ann.pk, points=40, key="a", at=NOW, active_at=NOW + DAY, expires_at=NOW + 9 * DAY)
    points.settle(customer_id=ann.pk, at=NOW + DAY)
    spent = points.redeem(customer_id=ann.pk, points=10, key="b", at=NOW + DAY)
    points.give_back(posting_id=spent.pk, points=4, key="c", at=NOW + 2 * DAY)
    points.reverse(posting_id=earned.pk, points=5, key="d", at=NOW + 3 * DAY, policy="within_balance")
    points.settle(customer_id=ann.pk, at=NOW + 9 * DAY)
    assert kinds() == [
        *("points.pending", "points.active", "points.spent", "points.returned", "points.reversed", "points.expired"),
    ]
    sums = [data["points"] for _kind, data in told()]
    assert sums == [0, 40, -10, 4, -5, -29]
    assert {data["customer"] for _kind, data in told()} == {str(ann.pk)}
    assert Delivery.objects.count() == 6


def test_the_same_key_again_tells_nothing(ann):
    make_webhook()
    for _ in range(3):
        points.earn(customer_id=ann.pk, points=40, key="a", at=NOW)
    assert kinds() == ["points.active"]


def test_only_the_kinds_that_somebody_wants(ann):
    make_webhook(events=["points.spent"])
    points.earn(customer_id=ann.pk, points=40, key="a", at=NOW)
    points.redeem(customer_id=ann.pk, points=10, key="b", at=NOW)
    assert kinds() == ["points.spent"]


def test_what_did_not_happen_is_not_told(ann):
    make_webhook()
    with transaction.atomic():
        points.earn(customer_id=ann.pk, points=40, key="a", at=NOW)
        transaction.set_rollback(True)
    assert told() == []


def test_nobody_listens(ann):
    points.earn(customer_id=ann.pk, points=40, key="a", at=NOW)
    make_webhook(state="gone")
    points.earn(customer_id=ann.pk, points=40, key="b", at=NOW)
    assert told() == []


def test_tiers(ann):
    make_webhook()
    tier = Tier.objects.create(name="Gold", rank=1, threshold=100)
    Move.objects.create(customer=ann, after=tier, at=NOW, reason="reached", value=120)
    assert told() == [("tier.changed", {"customer": str(ann.pk), "before": None, "after": "Gold", "reason": "reached"})]


def test_referrals(ann):
    make_webhook(events=["referral.pending", "referral.converted"])
    open_programme()
    ReferralPlan.objects.create(opened_at=OPENED)
    ben, code = make_customer(), referrals.code_for(customer_id=ann.pk, at=NOW).code
    referrals.claim(text=code, customer_id=ben.pk, at=NOW)
    order(ben, line("25.00"), at=NOW + DAY)
    referrals.judge(referral_id=Referral.objects.get().pk, at=NOW + DAY)
    assert kinds() == ["referral.pending", "referral.converted"]
    assert told()[0][1]["advocate"] == str(ann.pk)


class TestExpiring:
    DAY_OF_NIGHT = date(2026, 3, 10)  # 30 days later: 9 April in Berlin, from 22:00 UTC the day before

    @pytest.fixture(autouse=True)
    def webhook(self):
        return make_webhook(events=["points.expiring"])

    def tell(self, business, day=DAY_OF_NIGHT):
        return expiring.tell(as_of=day, business=business, at=NOW)

    def test_thirty_days_ahead_once_for_a_customer(self):
        business = make_business(time_zone="Europe/Berlin")
        ann = make_customer()
        ends = NOW.replace(month=4, day=9)
        for key, worth in (("a", 40), ("b", 60)):
            points.earn(customer_id=ann.pk, points=worth, key=key, at=NOW, expires_at=ends)
        points.earn(customer_id=ann.pk, points=7, key="c", at=NOW, expires_at=ends + DAY)
        assert (self.tell(business), self.tell(business)) == (1, 1)
        ((kind, data),) = told()
        assert (kind, data["points"], data["customer"]) == ("points.expiring", 100, str(ann.pk))
        assert self.tell(business, date(2026, 3, 11)) == 1
        assert [data["points"] for _kind, data in told()] == [100, 7]

    def test_the_end_of_the_day_belongs_to_it(self):
        business = make_business(time_zone="Europe/Berlin")
        midnight = NOW.replace(month=4, day=9, hour=22)  # 10 April 00:00 in Berlin
        points.earn(customer_id=make_customer().pk, points=5, key="a", at=NOW, expires_at=midnight)
        assert self.tell(business, date(2026, 3, 11)) == 0
        assert self.tell(business) == 1

    def test_what_is_spent_does_not_expire(self):
        business, ann = make_business(time_zone="Europe/Berlin"), make_customer()
        points.earn(customer_id=ann.pk, points=5, key="a", at=NOW, expires_at=NOW.replace(month=4, day=9))
        points.redeem(customer_id=ann.pk, points=5, key="b", at=NOW)
        assert self.tell(business) == 0


def test_every_kind_is_described():
    states = [f"redemption.{value}" for value in Redemption.State.values]
    states += [f"referral.{value}" for value in Referral.State.values]
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'loyalty_tell_postings'")
        source = cursor.fetchone()[0]
    described = {kind.name for kind in KINDS}
    assert set(states) <= described
    for name in described:
        if name.startswith("points.") and name != "points.expiring":
            assert f"'{name}'" in source
