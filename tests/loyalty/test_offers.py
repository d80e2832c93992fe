"""Offers from the code to the counters: each rule as a story with its totals, then its refusal by name."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest

from customers.models import Category, Membership, Segment
from customers.services import tags
from loyalty.baskets import BadBasket
from loyalty.models import Code, Offer, Standing, Tier, Use
from loyalty.offer_refusals import Refused
from loyalty.problems import KeyReused
from loyalty.selectors.offers import is_open_now
from loyalty.services import offers
from loyalty.services.offers import Purchase
from tests import factories
from tests.loyalty.offers import AT, basket, make_code, make_item, make_offer, redeem

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def refused(code, **fields):
    """The name of the refusal; nothing is used by it."""
    before = Use.objects.count()
    with pytest.raises(Refused) as caught:
        redeem(code, **fields)
    assert Use.objects.count() == before
    assert str(caught.value)
    return caught.value.code


def counters(offer):
    offer.refresh_from_db()
    return offer.used, offer.spent_cents


class TestRedeem:
    def test_it_works(self):
        offer = make_offer()
        code = make_code(offer, text="SUMMER10")
        use = redeem("summer io", purchase=basket(make_item(quantity=2, unit_price="9.95"), make_item("TEA")))

        assert (use.discount_cents, use.lines, use.state) == (1199, [199, 1000], "used")
        assert use.basket[0] == {"sku": "MUG", "quantity": "2", "unit_price": "9.95", "net_cents": 1990}
        assert counters(offer) == (1, 1199)
        code.refresh_from_db()
        assert code.used == 1

    def test_the_same_key_again_is_the_same_use(self):
        offer = make_offer()
        code, customer = make_code(offer), factories.make_customer()

        first = redeem(code, customer=customer, key="k")
        again = redeem(code, customer=customer, key="k")

        assert first.pk == again.pk
        assert counters(offer) == (1, 1000)

    def test_the_same_key_for_something_else_is_refused(self):
        code, customer = make_code(max_uses=None), factories.make_customer()
        redeem(code, customer=customer, key="k")

        for changed in ({"customer": None}, {"purchase": basket(make_item(quantity=2))}):
            with pytest.raises(KeyReused):
                redeem(code, key="k", **{"customer": customer} | changed)

    def test_without_a_basket_an_amount_is_known(self):
        code = make_code(make_offer(kind="amount", amount_cents=500))

        assert redeem(code, purchase=Purchase()).discount_cents == 500
        assert redeem(make_code(), purchase=Purchase()).discount_cents == 0

    def test_an_order_of_ours_is_its_own_basket(self):
        customer = factories.make_customer()
        order = factories.make_order(customer=customer, value_cents=5_000, external_id="1001", shipping_cents=490)

        for reference in (str(order.pk), "1001", "shop:1001"):
            use = redeem(make_code(), customer=customer, purchase=Purchase(reference=reference))
            offers.release(use_id=use.pk, at=AT)
            assert (use.discount_cents, use.order) == (500, order)

    def test_costs_of_the_catalogue_hold_the_floor(self):
        factories.make_product(sku="MUG", unit_cost=Decimal(70))
        factories.make_product(sku="TEA", category=Category.objects.create(name="Tea", margin_rate=Decimal("0.2")))
        offer = make_offer(percent=Decimal(50), line_floor=Decimal(0))

        use = redeem(make_code(offer), purchase=basket(make_item("MUG"), make_item("TEA")))

        assert (use.lines, use.held_back_cents) == ([3000, 2000], 5000)

    def test_a_bad_basket_is_refused_in_plain_words(self):
        with pytest.raises(BadBasket, match="The quantity of line 2 is -1; it has to be more than zero"):
            redeem(make_code(), purchase=basket(make_item(), make_item(quantity=-1)))
        with pytest.raises(BadBasket, match="The basket is empty"):
            redeem(make_code(), purchase=Purchase(items=[]))

    def test_validate_writes_nothing(self):
        code = make_code()
        applied = offers.validate(text=code.code, customer_id=None, purchase=basket(), at=AT)

        assert applied.discount_cents == 1000
        assert not Use.objects.exists()


class TestWho:
    def test_a_code_with_a_name_is_for_its_holder(self):
        holder = factories.make_customer()
        code = make_code(holder=holder)

        assert refused(code) == "not_for_this_customer"
        assert redeem(code, customer=holder).discount_cents == 1000

    def test_it_may_be_passed_on_where_the_offer_says_so(self):
        assert redeem(make_code(make_offer(holder_only=False), holder=factories.make_customer()))

    def test_a_segment(self):
        gold = Segment.objects.create(scheme="rfm", slug="champions", name="Champions")
        inside, tagged = factories.make_customer(), factories.make_customer()
        Membership.objects.create(customer=inside, scheme="rfm", segment=gold, changed_on=AT.date())
        tag = tags.find_or_make(name="Bakers")
        tags.add(segment=tag, customer_ids=[tagged.pk], by=None, at=AT)
        code = make_code(make_offer(segments=[gold, tag]), max_uses=None)

        assert redeem(code, customer=inside)
        assert redeem(code, customer=tagged)
        assert refused(code) == "not_for_this_customer"

        tags.remove(segment_id=tag.pk, customer_ids=[tagged.pk], at=AT)
        assert refused(code, customer=tagged) == "not_for_this_customer"

    def test_a_tier_until_its_last_day(self):
        gold = Tier.objects.create(name="Gold", rank=1, threshold=0)
        customer = factories.make_customer()
        Standing.objects.create(
            customer=customer, tier=gold, since=AT - DAY, ends_on=AT.date(), until=AT.date(), value=0
        )
        code = make_code(make_offer(tiers=[gold]), max_uses=None)

        assert redeem(code, customer=customer)
        assert refused(code, customer=customer, at=AT + DAY) == "not_for_this_customer"
        assert refused(code) == "not_for_this_customer"


class TestWhen:
    def test_before_and_after(self):
        code = make_code(make_offer(starts_at=AT, ends_at=AT + DAY), max_uses=None)

        assert refused(code, at=AT - DAY) == "code_not_yet"
        assert redeem(code, at=AT)
        assert refused(code, at=AT + DAY) == "code_expired"

    def test_an_expired_code_says_when(self):
        with pytest.raises(Refused, match=r"expired on 11 March 2026, 12:00"):
            redeem(make_code(make_offer(ends_at=AT + DAY)), at=AT + 2 * DAY)

    def test_paused_ended_and_blocked(self):
        assert refused(make_code(make_offer(state="paused"))) == "code_paused"
        assert refused(make_code(make_offer(state="ended"))) == "code_expired"
        assert refused(make_code(blocked_at=AT)) == "code_blocked"

    def test_weekdays_are_the_business_zones(self):
        factories.make_business(time_zone="Pacific/Auckland")
        code = make_code(make_offer(weekdays=0b0000100), max_uses=None)  # Wednesday

        assert redeem(code, at=datetime(2026, 3, 10, 12, tzinfo=UTC))  # Wednesday 01:00 there
        assert refused(code, at=datetime(2026, 3, 10, 10, tzinfo=UTC)) == "not_today"

    @pytest.mark.parametrize(("hour", "is_open"), [(13, False), (14, True), (16, True), (17, False)])
    def test_hours(self, hour, is_open):
        offer = Offer(from_time=time(14), until_time=time(17))

        assert is_open_now(offer, datetime(2026, 3, 10, hour)) is is_open  # noqa: DTZ001

    @pytest.mark.parametrize(
        ("day", "hour", "is_open"),
        [
            (9, 23, False),
            (10, 21, False),
            (10, 22, True),
            (11, 1, True),
            (11, 2, False),
            (11, 23, False),
            (10, 1, False),
        ],
    )
    def test_hours_past_midnight_belong_to_the_day_they_began_on(self, day, hour, is_open):
        tuesdays = Offer(from_time=time(22), until_time=time(2), weekdays=0b0000010)

        assert is_open_now(tuesdays, datetime(2026, 3, day, hour)) is is_open  # noqa: DTZ001


class TestCaps:
    def test_of_a_code(self):
        code = make_code(max_uses=2)
        redeem(code)
        redeem(code)

        assert refused(code) == "code_exhausted"

    def test_of_the_offer_whatever_the_code(self):
        offer = make_offer(max_uses=2)
        redeem(make_code(offer))
        redeem(make_code(offer))

        assert refused(make_code(offer)) == "code_exhausted"

    def test_of_a_customer(self):
        offer, customer = make_offer(max_per_customer=1), factories.make_customer()
        redeem(make_code(offer), customer=customer)

        assert refused(make_code(offer), customer=customer) == "code_exhausted"
        assert redeem(make_code(offer))

    def test_of_a_day(self):
        offer = make_offer(max_per_day=1)
        redeem(make_code(offer))

        assert refused(make_code(offer)) == "not_today"
        assert redeem(make_code(offer), at=AT + DAY)
        assert refused(make_code(offer), at=AT) == "not_today"  # a clock that is behind

    def test_of_money(self):
        offer = make_offer(budget_cents=2500)
        redeem(make_code(offer))
        redeem(make_code(offer))

        assert refused(make_code(offer)) == "budget_spent"
        assert redeem(make_code(offer), purchase=basket(make_item(unit_price=50))).discount_cents == 500
        assert counters(offer) == (3, 2500)
        assert refused(make_code(offer), purchase=basket(make_item(unit_price=1))) == "budget_spent"

    def test_a_gift_takes_its_list_price_from_the_budget(self):
        pot = factories.make_product(sku="POT", unit_price=Decimal(15), unit_cost=Decimal(5))
        offer = make_offer(kind="free_item", free_product=pot, budget_cents=2000)
        use = redeem(make_code(offer))

        assert (use.free, use.discount_cents, use.free_cents) == ([["POT", 1]], 0, 1500)
        assert refused(make_code(offer)) == "budget_spent"


class TestBaskets:
    def test_a_minimum(self):
        code = make_code(make_offer(minimum_cents=5_000), max_uses=None)

        assert refused(code, purchase=basket(make_item(unit_price="49.99"))) == "minimum_not_met"
        assert refused(code, purchase=Purchase()) == "minimum_not_met"
        assert redeem(code, purchase=basket(make_item(unit_price=50)))

    def test_other_refusals_have_names_of_their_own(self):
        mug = factories.make_product(sku="MUG", unit_cost=Decimal(100))

        assert refused(make_code(make_offer(products=[mug])), purchase=basket(make_item("TEA"))) == "no_item_matches"
        assert refused(make_code(make_offer(line_floor=Decimal(0)))) == "margin_floor"
        assert refused(make_code(make_offer(kind="free_shipping"))) == "nothing_left"
        assert refused("nobody-knows") == "code_unknown"
        assert refused("?!") == "code_unknown"

    def test_free_shipping(self):
        use = redeem(make_code(make_offer(kind="free_shipping")), purchase=basket(shipping_cents=490))

        assert (use.shipping_cents, use.discount_cents, use.lines) == (490, 490, [0])


class TestStacking:
    def test_the_second_code_takes_its_part_of_what_is_left(self):
        """100: half, then half of what is left. The floors of the first hold for the second."""
        factories.make_product(sku="MUG", unit_cost=Decimal(40))
        customer = factories.make_customer()
        half = {"percent": Decimal(50), "stacking": "stackable"}
        first, second = make_offer(**half, line_floor=Decimal(0)), make_offer(**half)
        purchase = basket(reference="cart-7")

        one = redeem(make_code(first), customer=customer, purchase=purchase)
        two = redeem(make_code(second), customer=customer, purchase=purchase)

        assert (one.discount_cents, two.discount_cents, two.held_back_cents) == (5000, 1000, 1500)

    def test_an_exclusive_code_stands_alone(self):
        customer, purchase = factories.make_customer(), basket(reference="cart-7")
        redeem(make_code(make_offer(stacking="stackable")), customer=customer, purchase=purchase)

        assert refused(make_code(), customer=customer, purchase=purchase) == "not_stackable"
        assert redeem(make_code(), customer=customer, purchase=basket(reference="cart-8"))
        assert redeem(make_code(), purchase=purchase)  # somebody else's cart of that name

    def test_a_code_that_was_given_back_is_in_nobodys_way(self):
        customer, purchase = factories.make_customer(), basket(reference="cart-7")
        use = redeem(make_code(), customer=customer, purchase=purchase)
        offers.release(use_id=use.pk, at=AT)

        assert redeem(make_code(), customer=customer, purchase=purchase)


class TestGivingBack:
    def test_release_gives_back_every_cap_and_the_budget(self):
        offer = make_offer(max_uses=1, max_per_customer=1, max_per_day=1, budget_cents=1000)
        code, customer = make_code(offer), factories.make_customer()
        use = redeem(code, customer=customer)
        assert refused(code, customer=customer) == "code_exhausted"

        offers.release(use_id=use.pk, at=AT)

        assert counters(offer) == (0, 0)
        assert redeem(code, customer=customer).pk != use.pk
        assert counters(offer) == (1, 1000)

    def test_twice_is_once(self):
        offer = make_offer()
        use = redeem(make_code(offer))
        redeem(make_code(offer))
        offers.release(use_id=use.pk, at=AT)
        again = offers.release(use_id=use.pk, at=AT + DAY)

        assert again.released_at == AT
        assert counters(offer) == (1, 1000)

    def test_a_release_on_a_later_day_leaves_that_day_alone(self):
        offer = make_offer(max_per_day=1)
        use = redeem(make_code(offer))
        redeem(make_code(offer), at=AT + DAY)
        offers.release(use_id=use.pk, at=AT + DAY)

        assert refused(make_code(offer), at=AT + DAY) == "not_today"

    def test_a_reservation_counts_until_it_runs_out(self):
        offer = make_offer(max_uses=1)
        code = make_code(offer)
        redeem(code, until=AT + timedelta(minutes=15))
        assert refused(code, at=AT + timedelta(minutes=14)) == "code_exhausted"

        assert redeem(code, at=AT + timedelta(minutes=15)).state == Use.State.USED
        assert counters(offer) == (1, 1000)
        assert list(Use.objects.order_by("pk").values_list("state", "why")) == [("released", "expired"), ("used", "")]

    def test_the_sweep_gives_back_what_ran_out(self):
        offer = make_offer()
        redeem(make_code(offer), until=AT + timedelta(minutes=15))
        redeem(make_code(offer), until=AT + DAY)

        assert offers.release_expired(at=AT + timedelta(hours=1)) == 1
        assert offers.release_expired(at=AT + timedelta(hours=1)) == 0
        assert counters(offer) == (1, 1000)

    def test_a_reservation_becomes_a_use(self):
        use = redeem(make_code(), until=AT + timedelta(minutes=15))
        offers.confirm(use_id=use.pk, reference="1001", at=AT)
        confirmed = offers.confirm(use_id=use.pk, at=AT + DAY)

        assert (confirmed.state, confirmed.reference) == (Use.State.USED, "1001")
        assert offers.release_expired(at=AT + DAY) == 0

    def test_a_reservation_that_ran_out_cannot_become_a_use(self):
        use = redeem(make_code(), until=AT + timedelta(minutes=15))

        with pytest.raises(Refused) as caught:
            offers.confirm(use_id=use.pk, at=AT + DAY)
        assert caught.value.code == "reservation_over"


def test_a_customer_of_another_code_never_sees_its_uses():
    """Counters are those of the code and its offer alone."""
    one, other = make_code(), make_code()
    redeem(one)

    assert list(Code.objects.order_by("pk").values_list("used", flat=True)) == [1, 0]
    assert redeem(other)
