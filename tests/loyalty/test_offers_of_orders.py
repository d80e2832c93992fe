"""Orders and codes: what is cancelled or comes back gives its uses back, what is ordered makes uses of codes."""

from datetime import timedelta

import pytest

from core import feed
from core.models import Change
from customers.models import Order
from customers.services import order_codes
from loyalty.models import Use
from loyalty.services import offer_orders, points, rewards
from loyalty.services.offers import Purchase
from tests import factories
from tests.loyalty.offers import AT, basket, make_code, make_offer, redeem
from tests.loyalty.shop import open_programme, totals

pytestmark = pytest.mark.django_db(transaction=True)
REFERENCE = "1001"


@pytest.fixture
def customer():
    return factories.make_customer()


@pytest.fixture
def order(customer):
    return factories.make_order(customer=customer, external_id=REFERENCE, value_cents=5_000)


def follow(order, **changed):
    """The order as it is now, and what the reaction made of it."""
    Order.objects.filter(pk=order.pk).update(**changed)
    feed.record(Change.Kind.ORDER, [order.pk])
    feed.wait_until_readable()
    return offer_orders.follow(at=AT)


def states():
    return list(Use.objects.order_by("pk").values_list("state", "why"))


def test_a_cancelled_order_gives_its_use_back(customer, order):
    offer = make_offer(max_uses=1)
    redeem(make_code(offer), customer=customer, purchase=basket(reference=REFERENCE))

    assert follow(order, status="cancelled") == 1
    offer.refresh_from_db()
    assert (offer.used, offer.spent_cents, states()) == (0, 0, [("released", "cancelled")])
    assert redeem(make_code(offer))


def test_points_spent_on_a_cancelled_order_come_back(order):
    open_programme(worth_cents=100)
    points.earn(customer_id=order.customer_id, points=500, key="earn:test", at=AT)
    wish = rewards.Wish(customer_id=order.customer_id, points=200, reference=REFERENCE)
    rewards.redeem(wish=wish, key="k", at=AT, place="api")
    assert [follow(order, status="cancelled"), follow(order)] == [1, 0]
    assert totals(order.customer) == (500, 0)


def test_an_order_that_came_back_whole_does_too_and_a_part_does_not(customer, order):
    redeem(make_code(), customer=customer, purchase=basket(reference=f"shop:{REFERENCE}"))
    factories.make_refund(order=order, value_cents=1_000)
    follow(order)
    assert states() == [("used", "")]

    follow(order, fully_refunded_on=AT.date())
    assert states() == [("released", "refunded")]


def test_the_same_change_again_changes_nothing(customer, order):
    redeem(make_code(), customer=customer, purchase=basket(reference=REFERENCE))

    assert follow(order, status="cancelled") == 1
    assert follow(order) == 0
    assert offer_orders.follow(at=AT) == 0


def test_uses_learn_their_order_and_reservations_become_uses(customer, order):
    redeem(make_code(), customer=customer, purchase=basket(reference="other"))
    held = redeem(
        make_code(make_offer(stacking="stackable")),
        customer=customer,
        purchase=Purchase(items=basket().items, reference=REFERENCE),
        until=AT + timedelta(hours=1),
    )
    Use.objects.filter(pk=held.pk).update(order=None)

    assert follow(order) == 1
    held.refresh_from_db()
    assert (held.state, held.order_id) == ("used", order.pk)


def test_a_code_that_only_the_order_names_is_used(customer, order):
    code = make_code(text="SUMMER10")
    order_codes.keep(entered={order.pk: ["summer 1O", "nonsense"]})

    assert follow(order) == 1
    use = Use.objects.get()
    assert (use.code, use.order_id, use.discount_cents) == (code, order.pk, 500)
    assert follow(order) == 0


def test_a_code_that_was_redeemed_before_is_not_used_twice(customer, order):
    code = make_code(max_uses=None)
    redeem(code, customer=customer, purchase=basket(reference=REFERENCE))
    order_codes.keep(entered={order.pk: [code.shown]})

    follow(order)
    assert Use.objects.count() == 1


def test_an_order_that_counts_again_uses_its_code_again(customer, order):
    code = make_code()
    order_codes.keep(entered={order.pk: [code.shown]})
    follow(order)
    follow(order, status="cancelled")
    follow(order, status="paid")

    assert states() == [("released", "cancelled"), ("used", "")]
    code.refresh_from_db()
    assert code.used == 1


def test_somebody_else_s_order_of_that_name_changes_nothing(customer, order):
    redeem(make_code(), purchase=basket(reference=REFERENCE))

    assert follow(order, status="cancelled") == 0
    assert states() == [("used", "")]


def test_guests_have_no_codes(order):
    assert follow(order, customer=None, codes=["SUMMER10"]) == 0


def test_kept_codes_tell_the_feed_once(order):
    before = Change.objects.filter(kind="order").count()

    assert order_codes.keep(entered={order.pk: ["A"]}) == 1
    assert order_codes.keep(entered={order.pk: ["A"]}) == 0
    assert Change.objects.filter(kind="order").count() == before + 1
