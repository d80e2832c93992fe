"""The demo's programme: the same for the same seed, in agreement with itself, and gone with the demo."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.models import Count, F, Sum

from core.models import Business
from crm import joining
from crm.demo import club, past
from customers.models import Customer, Email, Order, OrderLine, Refund
from loyalty.models import Account, Adjustment, Lot, Offer, Posting, Programme, Redemption, Referral, Standing, Use
from loyalty.services import crediting, points, tiers, verifying
from tests.factories import make_business, make_customer
from tests.loyalty.rewards import make_tier
from tests.loyalty.shop import make_rule, open_programme

UNTIL = date(2025, 6, 30)
SMALL = ["--customers=160", "--years=2", "--seed=2", f"--until={UNTIL}"]
END = datetime(2025, 6, 30, 23, tzinfo=UTC)  # midnight in Dublin

pytestmark = pytest.mark.django_db


def seed(*arguments):
    call_command("seed_demo", *SMALL, *arguments, stdout=StringIO(), skip_checks=True)


def clear():
    call_command("seed_demo", "--clear", stdout=StringIO(), skip_checks=True)


def rows():
    """What happened, without ids and codes."""
    moves = Posting.objects.order_by("id").values_list(
        "kind", "points", "pending_points", "at", "account__customer__identities__external_id"
    )
    bought = Redemption.objects.order_by("id").values_list("reward__name", "points", "state", "made_at")
    friends = Referral.objects.order_by("id").values_list("state", "claimed_at", "reasons")
    return [list(moves), list(bought), list(map(str, friends)), list(Use.objects.order_by("id").values_list("used_at"))]


def left():
    """How many rows each table of the programme has, where it has any."""
    models = apps.get_app_config("loyalty").get_models()
    return {model.__name__: model.objects.count() for model in models if model.objects.exists()}


class TestHistory:
    def test_it_adds_up(self):
        seed()
        assert [text for result in verifying.verify() for text in result.wrong] == []
        names = ("balance", "pending", "held", "earned", "spent", "expired", "reversed")
        all_of = Account.objects.aggregate(**{name: Sum(name) for name in names})
        posted = Posting.objects.aggregate(points=Sum("points"), pending=Sum("pending_points"))
        lots = dict(Lot.objects.exclude(state="empty").values_list("state").annotate(Sum("points_left")))
        assert all_of["balance"] == posted["points"] == lots["active"]
        assert all_of["pending"] == posted["pending"] == lots["pending"]
        gone = sum(all_of[name] for name in ("spent", "expired", "reversed"))
        assert all_of["earned"] == all_of["balance"] + all_of["pending"] + all_of["held"] + gone
        assert all(all_of[name] > 0 for name in names if name != "held")
        self.assert_nothing_comes_later()
        self.assert_it_stands_when_looked_at_now()

    def test_it_shows_what_a_programme_has(self):
        seed()
        assert Programme.objects.get().name == club.NAME
        assert set(Standing.objects.values_list("tier__name", flat=True)) >= {"Bronze", "Silver", "Gold"}
        states = set(Redemption.objects.values_list("state", flat=True))
        assert states >= {"handed_over", "sent", "released", "cancelled"}
        assert Referral.objects.filter(state="rewarded").exists()
        assert Adjustment.objects.get(state="waiting").posting is None
        assert Use.objects.values("offer").distinct().count() >= 4
        assert not Offer.objects.filter(spent_cents__gt=F("budget_cents")).exists()
        often = Redemption.objects.values("customer", "made_at__year", "made_at__month").annotate(n=Count("id"))
        assert often.filter(n__gt=1).count() == 0
        mine = Email.objects.get(address=club.member_address())
        assert mine.address.endswith("@example.com")
        account = Account.objects.get(customer=mine.customer_id)
        assert account.balance > 300
        assert account.pending > 0

    def assert_nothing_comes_later(self):
        assert Posting.objects.latest("at").at <= END
        assert Redemption.objects.latest("made_at").made_at < END
        assert Posting.objects.dates("at", "month").count() == 18
        assert not Use.objects.filter(used_at__lt=F("code__created_at")).exists()
        assert not Use.objects.filter(used_at__lt=F("offer__starts_at")).exists()
        # Nobody waits for months for what they bought.
        waiting = Redemption.objects.filter(state__in=["committed", "ready"])
        assert not waiting.filter(made_at__lt=END - timedelta(days=12)).exists()

    def test_the_same_seed_gives_the_same_rows(self):
        seed()
        first, many = rows(), left()
        seed()
        assert left() == many  # it is made once
        clear()
        assert left() == {}
        assert not Customer.objects.exists()
        seed()
        assert rows() == first

    def assert_it_stands_when_looked_at_now(self):
        """The history and the reaction to today's facts agree."""
        before = Posting.objects.count()
        crediting.credit_orders(order_ids=list(Order.objects.values_list("pk", flat=True)), at=END)
        assert Posting.objects.count() == before

    def test_a_home_of_one_s_own_gets_none(self):
        make_business(name="Mine")
        make_customer()
        seed()
        assert left() == {}
        assert club.member_address() == ""


class TestClear:
    def test_a_programme_that_was_renamed_stays_with_what_others_have_in_it(self):
        seed()
        Programme.objects.update(name="Mine")
        own = make_customer()
        points.earn(customer_id=own.pk, points=70, key="mine", at=END)
        clear()
        assert Programme.objects.get().name == "Mine"
        assert Account.objects.get().balance == 70
        assert set(left()) >= {"Tier", "Reward", "Offer"}
        assert [text for result in verifying.verify() for text in result.wrong] == []
        assert Offer.objects.aggregate(Sum("used"))["used__sum"] == Use.objects.count() == 0

    def test_beside_a_business_of_one_s_own_its_programme_stays(self):
        """Somebody has a shop and a programme already, and looks at the demo: its orders earn points there."""
        make_business(name="Mine")
        own, orders = make_customer(), Order.objects.order_by("pk").values_list("pk", flat=True)
        open_programme(credit_from="2020-01-01", name=club.NAME)
        make_rule(starts_at="2020-01-01T00:00:00Z")
        make_tier(1, threshold=0)
        points.earn(customer_id=own.pk, points=70, key="mine", at=END)
        seed()
        crediting.credit_orders(order_ids=list(orders), at=END)
        tiers.follow(business=Business.objects.get(), at=END)
        assert Account.objects.count() > 50
        # Who was merged has no name of the demo's left, and an account that leads to the one that goes.
        demo = Account.objects.exclude(customer=own).filter(held=0)
        one, twin = demo.order_by("-pk").values_list("customer_id", flat=True)[:2]
        joining.merge(into=one, other=twin, by=None, at=END)
        clear()
        assert (Customer.objects.get(), Account.objects.get().balance) == (own, 70)
        assert set(left()) >= {"Programme", "EarningRule", "Tier"}
        assert [text for result in verifying.verify() for text in result.wrong] == []

    def test_nobody_sees_a_programme_afterwards(self):
        seed()
        assert Business.objects.get().has_loyalty
        make_customer()
        clear()
        assert not Business.objects.filter(has_loyalty=True).exists()


class TestPast:
    def test_facts_of_later_are_hidden_and_come_back(self):
        seed()
        refund = Refund.objects.order_by("-refunded_at").first()
        told = OrderLine.objects.order_by("pk").values_list("pk", "refunded_quantity", "refunded_cents")
        all_orders, lines = Order.objects.count(), list(told.all())
        with past.seen():
            past.show(refund.order.placed_at)
            assert Order.objects.latest("placed_at").placed_at == refund.order.placed_at
            assert not Refund.objects.filter(pk=refund.pk).exists()
            assert not refund.order.lines.filter(refunded_cents__gt=0, refund_lines__refund=refund).exists()
            past.show(END)
            assert Order.objects.count() == all_orders
            assert list(told.all()) == lines
        assert Order.objects.count() == all_orders
