"""Price lists: who gets which price and why, one that is always below the public one and above its floor."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from customers.models import Category, Membership, Segment
from loyalty.models import PriceItem, PriceList, Standing, Tier
from loyalty.selectors.prices import Reason, price_for
from loyalty.selectors.standing import months_between
from loyalty.services import price_lists
from loyalty.services.price_lists import NotADiscount
from tests import factories
from tests.loyalty.offers import AT

pytestmark = pytest.mark.django_db


@pytest.fixture
def segment():
    return Segment.objects.create(scheme="rfm", slug="champions", name="Champions")


@pytest.fixture
def customer(segment):
    customer = factories.make_customer()
    Membership.objects.create(customer=customer, scheme="rfm", segment=segment, changed_on=AT.date())
    return customer


@pytest.fixture
def china():
    return Category.objects.create(name="China")


@pytest.fixture
def mug(china):
    return factories.make_product(sku="MUG", unit_price=Decimal(20), unit_cost=Decimal(8), category=china)


def make_list(**fields):
    return PriceList.objects.create(**{"name": "Prices", "floor": None} | fields)


def price(customer, sku="MUG", at=AT):
    (found,) = price_for(customer and customer.pk, [sku], at=at)
    return found


def test_it_works(customer, segment, mug):
    ours = make_list(segment=segment)
    price_lists.set_price(price_list=ours, percent=Decimal(15))
    found = price(customer)

    assert (found.list_price, found.unit_price, found.saved) == (Decimal(20), Decimal(17), Decimal(3))
    assert (found.reason, found.price_list) == (Reason.PRICE_LIST, ours)


def test_everybody_else_pays_the_list_price(customer, segment, mug):
    price_lists.set_price(price_list=make_list(segment=segment), percent=Decimal(15))

    for who in (factories.make_customer(), None):
        assert (price(who).unit_price, price(who).reason) == (Decimal(20), Reason.LIST)


class TestForWhom:
    def test_a_tier_until_its_last_day(self, mug):
        gold, customer = Tier.objects.create(name="Gold", rank=1, threshold=0), factories.make_customer()
        day = AT.date()
        Standing.objects.create(customer=customer, tier=gold, since=AT, ends_on=day, until=day, value=0)
        price_lists.set_price(price_list=make_list(tier=gold), percent=Decimal(10))

        assert price(customer).unit_price == Decimal(18)
        assert price(customer, at=AT + timedelta(days=1)).unit_price == Decimal(20)

    def test_who_has_bought_here_for_long(self, mug):
        price_lists.set_price(price_list=make_list(min_months=24), percent=Decimal(10))
        old, new, came_back = (factories.make_customer() for _ in range(3))
        factories.make_order(customer=old, day=date(2024, 3, 10))
        factories.make_order(customer=old, day=date(2026, 3, 1))
        factories.make_order(customer=new, day=date(2024, 3, 11))
        factories.make_refund(order=factories.make_order(customer=came_back, day=date(2020, 1, 1)))

        assert [price(who).unit_price for who in (old, new, came_back)] == [Decimal(18), Decimal(20), Decimal(20)]

    def test_all_that_a_list_asks_has_to_hold(self, customer, segment, mug):
        price_lists.set_price(price_list=make_list(segment=segment, min_months=1), percent=Decimal(10))
        assert price(customer).unit_price == Decimal(20)

        factories.make_order(customer=customer, day=date(2026, 1, 1))
        assert price(customer).unit_price == Decimal(18)

    @pytest.mark.parametrize(
        ("first", "last", "months"),
        [("2024-01-31", "2024-02-29", 0), ("2024-01-31", "2024-03-31", 2), ("2023-12-10", "2024-12-10", 12)],
    )
    def test_months_are_whole(self, first, last, months):
        assert months_between(date.fromisoformat(first), date.fromisoformat(last)) == months


class TestPrecedence:
    """The most specific item, then the higher priority, then the lower price."""

    def test_the_most_specific_item_wins_even_when_it_is_dearer(self, customer, segment, mug, china):
        wide, narrow = make_list(segment=segment, priority=9), make_list(segment=segment)
        price_lists.set_price(price_list=wide, percent=Decimal(50))
        price_lists.set_price(price_list=wide, category=china, percent=Decimal(40))
        assert price(customer).unit_price == Decimal(12)

        price_lists.set_price(price_list=narrow, product=mug, percent=Decimal(5))
        assert (price(customer).unit_price, price(customer).price_list) == (Decimal(19), narrow)

    def test_then_the_higher_priority(self, customer, segment, mug):
        for priority, percent in ((1, 30), (2, 10)):
            price_lists.set_price(price_list=make_list(segment=segment, priority=priority), percent=Decimal(percent))

        assert price(customer).unit_price == Decimal(18)

    def test_then_the_lower_price(self, customer, segment, mug):
        for percent in (10, 30, 20):
            price_lists.set_price(price_list=make_list(segment=segment), percent=Decimal(percent))

        assert price(customer).unit_price == Decimal(14)


class TestValidity:
    def test_from_until_and_in_use(self, customer, segment, mug):
        ours = make_list(segment=segment, starts_at=AT, ends_at=AT + timedelta(days=1))
        price_lists.set_price(price_list=ours, percent=Decimal(10))
        asked = [AT - timedelta(seconds=1), AT, AT + timedelta(days=1)]

        assert [price(customer, at=at).unit_price for at in asked] == [Decimal(20), Decimal(18), Decimal(20)]
        PriceList.objects.update(is_active=False)
        assert price(customer).unit_price == Decimal(20)


class TestAlwaysADiscount:
    def test_a_fixed_price_below_the_list_price(self, customer, segment, mug):
        price_lists.set_price(price_list=make_list(segment=segment), product=mug, unit_price=Decimal("17.50"))

        assert price(customer).unit_price == Decimal("17.50")

    @pytest.mark.parametrize("amount", [20, 21])
    def test_a_mark_up_is_refused(self, segment, mug, amount):
        with pytest.raises(NotADiscount, match="list price is 20"):
            price_lists.set_price(price_list=make_list(segment=segment), product=mug, unit_price=Decimal(amount))

    def test_the_database_refuses_it_too(self, segment, mug):
        ours = make_list(segment=segment)
        for wrong in (
            {"product": mug, "unit_price": Decimal(21), "list_price": Decimal(20)},
            {"product": mug, "unit_price": Decimal(1)},
            {"percent": Decimal(-5)},
            {"percent": Decimal(100)},
            {"unit_price": Decimal(1), "list_price": Decimal(20)},
            {},
        ):
            with pytest.raises(IntegrityError, match="a_price_of_a_list_is_a_discount"), transaction.atomic():
                PriceItem.objects.create(price_list=ours, **wrong)

    def test_a_list_price_that_fell_below_it_holds(self, customer, segment, mug):
        price_lists.set_price(price_list=make_list(segment=segment), product=mug, unit_price=Decimal(15))
        mug.unit_price = Decimal(12)
        mug.save()

        assert (price(customer).unit_price, price(customer).reason) == (Decimal(12), Reason.LIST)

    def test_without_a_list_price_there_is_none(self, customer, segment):
        product = factories.make_product(sku="NEW")
        with pytest.raises(NotADiscount, match="no list price"):
            price_lists.set_price(price_list=make_list(segment=segment), product=product, unit_price=Decimal(1))

        assert (price(customer, "NEW").unit_price, price(customer, "NEW").reason) == (None, Reason.UNKNOWN)
        assert price(customer, "NOBODY").reason is Reason.UNKNOWN


class TestFloor:
    def test_it_holds_and_is_the_reason(self, customer, segment, mug):
        """20 less 70 % is 6, but 8 / (1 − 0.2) is 10."""
        price_lists.set_price(price_list=make_list(segment=segment, floor=Decimal("0.2")), percent=Decimal(70))

        assert (price(customer).unit_price, price(customer).reason) == (Decimal(10), Reason.FLOOR)

    def test_it_never_raises_a_price(self, customer, segment, mug):
        mug.unit_cost = Decimal(30)
        mug.save()
        price_lists.set_price(price_list=make_list(segment=segment, floor=Decimal(0)), percent=Decimal(10))

        assert (price(customer).unit_price, price(customer).reason) == (Decimal(20), Reason.LIST)

    def test_without_a_cost_the_margin_rate_decides(self, customer, segment, china):
        factories.make_product(sku="CUP", unit_price=Decimal(10), category=china)
        china.margin_rate = Decimal("0.25")
        china.save()
        price_lists.set_price(price_list=make_list(segment=segment, floor=Decimal(0)), percent=Decimal(50))

        assert price(customer, "CUP").unit_price == Decimal("7.50")

    def test_a_currency_without_decimals(self, customer, segment, mug):
        factories.make_business(currency="JPY")
        price_lists.set_price(price_list=make_list(segment=segment), percent=Decimal("12.5"))

        assert price(customer).unit_price == Decimal(18)


def test_writing_a_price_again_replaces_it(segment, mug):
    ours = make_list(segment=segment)
    price_lists.set_price(price_list=ours, product=mug, percent=Decimal(5))
    item = price_lists.set_price(price_list=ours, product=mug, unit_price=Decimal(12))

    assert PriceItem.objects.count() == 1
    price_lists.remove_price(price_list_id=ours.pk + 1, item_id=item.pk)
    assert PriceItem.objects.count() == 1
    price_lists.remove_price(price_list_id=ours.pk, item_id=item.pk)
    assert not PriceItem.objects.exists()


def test_any_number_of_products_takes_as_many_queries(customer, segment, mug, django_assert_max_num_queries):
    price_lists.set_price(price_list=make_list(segment=segment), percent=Decimal(5))
    for number in range(20):
        factories.make_product(sku=f"P{number}", unit_price=Decimal(1))
    factories.make_business()

    with django_assert_max_num_queries(7):
        prices = price_for(customer.pk, ["MUG", *(f"P{number}" for number in range(20))], at=AT)
    assert len(prices) == 21


def test_a_list_is_for_somebody():
    with pytest.raises(IntegrityError, match="a_price_list_is_for_somebody"):
        make_list()
