"""Offers on a basket: what comes off each line, in which order, and what holds it back.

Each rule is a story with its totals; the properties at the end hold for any basket and any offers.
"""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty import baskets, discounts
from loyalty.discounts import Gift, Refusal, Terms

MUG, TEA, POT = 1, 2, 3
CHINA, DRINKS = 10, 20


def make_line(sku="MUG", *, quantity=1, unit_price=10, unit_cost=0, product_id=MUG, category_id=CHINA, **fields):
    return baskets.line(
        sku=sku,
        quantity=Decimal(quantity),
        unit_price=Decimal(str(unit_price)),
        unit_cost=None if unit_cost is None else Decimal(str(unit_cost)),
        product_id=product_id,
        category_id=category_id,
        exponent=2,
        **fields,
    )


def make_tea(**fields):
    return make_line("TEA", product_id=TEA, category_id=DRINKS, **fields)


def percent(number, **fields):
    return Terms(**{"id": 1, "kind": "percent", "percent": Decimal(str(number))} | fields)


def amount(cents, **fields):
    return Terms(**{"id": 2, "kind": "amount", "amount_cents": cents} | fields)


def free_item(**fields):
    gift = {"sku": "POT", "product_id": POT, "quantity": 1, "list_cents": 1500, "cost_cents": 600} | fields.pop(
        "gift", {}
    )
    return Terms(**{"id": 3, "kind": "free_item", "gift": Gift(**gift)} | fields)


def only(lines, offer, **options):
    (applied,) = discounts.price(lines, [offer], exponent=2, **options)
    return applied


class TestPercent:
    def test_it_works(self):
        applied = only([make_line(quantity=2, unit_price=9.95), make_tea(unit_price=24)], percent(10))

        assert applied.lines == (199, 240)
        assert applied.discount_cents == applied.saved_cents == 439
        assert applied.held_back_cents == 0

    def test_the_total_is_rounded_once_and_the_shares_add_up(self):
        lines = [make_line(unit_price="0.05"), make_tea(unit_price="0.05"), make_tea(unit_price="0.05")]

        assert only(lines, percent(10)).lines == (1, 1, 0)

    def test_it_can_be_for_a_product_or_a_category(self):
        lines = [make_line(), make_tea(unit_price=20), make_line("POT", product_id=POT, unit_price=30)]

        assert only(lines, percent(10, product_ids=frozenset({TEA}))).lines == (0, 200, 0)
        assert only(lines, percent(10, category_ids=frozenset({CHINA}))).lines == (100, 0, 300)
        assert only(lines, percent(10, product_ids=frozenset({TEA}), category_ids=frozenset({CHINA}))).lines == (
            100,
            200,
            300,
        )

    def test_it_is_of_the_list_price_or_of_what_is_left(self):
        line = make_line(unit_price=80, list_price=Decimal(100))

        assert only([line], percent(10, base="list")).discount_cents == 1000
        assert only([line], percent(10, base="after")).discount_cents == 800

    def test_shipping_and_fees_stay_as_they_are(self):
        lines = [make_line(unit_price=10), make_line("SHIPPING", unit_price=5, is_goods=False)]

        assert only(lines, percent(50)).lines == (500, 0)

    def test_a_currency_without_decimals(self):
        line = baskets.line(
            sku="A", quantity=Decimal(3), unit_price=Decimal(333), unit_cost=Decimal(0), exponent=0, product_id=MUG
        )
        (applied,) = discounts.price([line], [percent(10)], exponent=0)

        assert applied.discount_cents == 100


class TestScope:
    def test_the_whole_basket_only_when_every_item_matches(self):
        offer = percent(10, scope="every", category_ids=frozenset({CHINA}))

        assert only([make_line(), make_line(unit_price=20)], offer).lines == (100, 200)
        assert only([make_line(), make_tea()], offer).refusal is Refusal.NO_ITEM_MATCHES

    def test_one_piece_of_the_cheapest(self):
        lines = [make_line(quantity=3, unit_price=8), make_tea(unit_price=20), make_tea(unit_price=9)]

        assert only(lines, percent(50, scope="cheapest")).lines == (400, 0, 0)
        assert only(lines, amount(10_000, scope="cheapest")).lines == (800, 0, 0)
        assert only(lines, percent(50, scope="cheapest", category_ids=frozenset({DRINKS}))).lines == (0, 0, 450)

    def test_nothing_matches(self):
        applied = only([make_tea()], percent(10, product_ids=frozenset({MUG})))

        assert applied.refusal is Refusal.NO_ITEM_MATCHES
        assert applied.saved_cents == 0


class TestAmount:
    def test_it_is_divided_by_what_lines_come_to(self):
        assert only([make_line(unit_price=10), make_tea(unit_price=20)], amount(1000)).lines == (333, 667)

    def test_it_is_never_more_than_the_goods(self):
        applied = only([make_line(unit_price=3)], amount(1000))

        assert applied.lines == (300,)
        assert applied.held_back_cents == 0

    def test_a_minimum_is_of_the_goods_before_discounts(self):
        lines = [make_line(unit_price=49.99), make_line("SHIPPING", unit_price=5, is_goods=False)]

        assert only(lines, amount(1000, minimum_cents=5000)).refusal is Refusal.MINIMUM_NOT_MET
        assert only(lines, amount(1000, minimum_cents=4999)).discount_cents == 1000

    def test_a_highest_discount(self):
        applied = only([make_line(unit_price=100), make_tea(unit_price=200)], percent(50, max_discount_cents=3000))

        assert applied.lines == (1000, 2000)
        assert applied.held_back_cents == 12_000


class TestFloors:
    def test_forty_and_then_seventy_percent_give_no_goods_away(self):
        """100 less 40 % is 60; 70 % of it would leave 18, but the goods cost 35: 42 − 25 = 17 are held back."""
        first, second = percent(40, is_stackable=True), percent(70, id=2, is_stackable=True)
        one, two = discounts.price([make_line(unit_price=100, unit_cost=35)], [first, second], exponent=2)

        assert (one.discount_cents, one.held_back_cents) == (4000, 0)
        assert (two.discount_cents, two.held_back_cents) == (2500, 1700)

    def test_the_strictest_floor_of_all_offers_holds(self):
        first = percent(40, is_stackable=True, line_floor=Decimal("0.3"))
        second = percent(70, id=2, is_stackable=True, line_floor=None, order_floor=None)
        one, two = discounts.price([make_line(unit_price=100, unit_cost=35)], [first, second], exponent=2)

        assert 10_000 - one.discount_cents - two.discount_cents == 5000  # 35 / (1 − 0.3)

    def test_without_a_floor_everything_may_go(self):
        assert only([make_line(unit_cost=35)], percent(100, line_floor=None, order_floor=None)).discount_cents == 1000

    def test_a_floor_of_each_line(self):
        lines = [make_line(unit_price=10, unit_cost=9), make_tea(unit_price=10, unit_cost=1)]
        applied = only(lines, percent(50))

        assert applied.lines == (100, 500)
        assert applied.held_back_cents == 400

    def test_a_floor_of_the_order_alone(self):
        """20 less half is 10, just what both cost: one may be sold below cost while the order is not."""
        lines = [make_line(unit_price=10, unit_cost=9), make_tea(unit_price=10, unit_cost=1)]
        applied = only(lines, percent(50, line_floor=None))

        assert applied.lines == (500, 500)
        assert only(lines, percent(60, line_floor=None)).discount_cents == 1000

    def test_what_sells_below_cost_already_is_not_discounted(self):
        applied = only([make_line(unit_price=10, unit_cost=12)], percent(10))

        assert applied.refusal is Refusal.MARGIN_FLOOR
        assert applied.held_back_cents == 100
        assert applied.discount_cents == 0

    def test_without_a_cost_the_margin_rate_decides(self):
        line = make_line(unit_price=100, unit_cost=None, margin_rate=Decimal("0.4"))

        assert only([line], percent(70)).discount_cents == 4000

    def test_a_negative_margin_rate_leaves_no_room(self):
        line = make_line(unit_price=100, unit_cost=None, margin_rate=Decimal("-0.5"))

        assert only([line], percent(10)).refusal is Refusal.MARGIN_FLOOR

    def test_the_least_is_rounded_up(self):
        assert discounts.least(100, Decimal("0.3")) == 143


class TestStacking:
    def test_an_exclusive_offer_stands_alone(self):
        first, second = percent(10), percent(20, id=2, is_stackable=True)
        one, two = discounts.price([make_line()], [first, second], exponent=2)

        assert one.discount_cents == 100
        assert two.refusal is Refusal.NOT_STACKABLE

    def test_the_highest_priority_comes_first(self):
        """5 off and then half: 2.50 + 5. Half and then 5 off: 5 + 5."""
        five, half = amount(500, is_stackable=True), percent(50, is_stackable=True)
        ranked = amount(500, is_stackable=True, priority=1)

        assert [one.discount_cents for one in discounts.price([make_line()], [five, half], exponent=2)] == [500, 500]
        assert [one.discount_cents for one in discounts.price([make_line()], [ranked, half], exponent=2)] == [500, 250]

    def test_a_refused_offer_leaves_nothing_behind(self):
        """Its floor does not hold for the next one, and it does not stand in its way."""
        refused = percent(10, minimum_cents=10**6, line_floor=Decimal("0.9"), priority=1)
        one, two = discounts.price([make_line(unit_cost=5)], [refused, percent(20, id=2)], exponent=2)

        assert one.refusal is Refusal.MINIMUM_NOT_MET
        assert two.discount_cents == 200

    def test_percent_of_the_list_price_adds_up_instead(self):
        both = [percent(30, is_stackable=True, base="list"), percent(30, id=2, is_stackable=True, base="list")]

        assert sum(one.discount_cents for one in discounts.price([make_line()], both, exponent=2)) == 600

    def test_nothing_is_left_for_the_last(self):
        both = [percent(100, is_stackable=True), percent(30, id=2, is_stackable=True)]

        assert discounts.price([make_line()], both, exponent=2)[1].refusal is Refusal.NOTHING_LEFT


class TestFreeItem:
    def test_it_comes_on_top(self):
        applied = only([make_line(unit_price=50, unit_cost=20)], free_item())

        assert applied.free == (("POT", 1),)
        assert (applied.discount_cents, applied.saved_cents) == (0, 1500)

    def test_what_is_in_the_basket_becomes_free(self):
        lines = [make_line(unit_price=50), make_line("POT", product_id=POT, quantity=2, unit_price=15, unit_cost=6)]
        applied = only(lines, free_item(gift={"quantity": 3}))

        assert applied.lines == (0, 3000)
        assert applied.free == (("POT", 1),)
        assert applied.saved_cents == 4500

    def test_the_floor_of_the_order_holds(self):
        """The order's goods leave 5 of margin; the pot costs 6."""
        applied = only([make_line(unit_price=25, unit_cost=20)], free_item())

        assert applied.refusal is Refusal.MARGIN_FLOOR
        assert applied.held_back_cents == 1500
        assert only([make_line(unit_price=26, unit_cost=20)], free_item()).free == (("POT", 1),)

    def test_the_cost_of_a_gift_weighs_on_the_next_offer(self):
        offers = [free_item(is_stackable=True), percent(50, id=4, is_stackable=True)]
        _, half = discounts.price([make_line(unit_price=30, unit_cost=20)], offers, exponent=2)

        assert half.discount_cents == 400

    def test_it_needs_something_that_matches(self):
        assert only([make_tea(unit_price=50)], free_item(product_ids=frozenset({MUG}))).refusal is (
            Refusal.NO_ITEM_MATCHES
        )


class TestFreeShipping:
    def test_it_works(self):
        applied = only([make_line()], Terms(id=1, kind="free_shipping"), shipping_cents=490)

        assert (applied.shipping_cents, applied.discount_cents, applied.lines) == (490, 490, (0,))

    def test_a_highest_discount(self):
        offer = Terms(id=1, kind="free_shipping", max_discount_cents=300)
        applied = only([make_line()], offer, shipping_cents=490)

        assert (applied.discount_cents, applied.held_back_cents) == (300, 190)

    def test_without_shipping_there_is_nothing_to_take_off(self):
        assert only([make_line()], Terms(id=1, kind="free_shipping")).refusal is Refusal.NOTHING_LEFT

    def test_shipping_is_free_only_once(self):
        both = [Terms(id=number, kind="free_shipping", is_stackable=True) for number in (1, 2)]
        one, two = discounts.price([make_line()], both, exponent=2, shipping_cents=490)

        assert one.shipping_cents == 490
        assert two.refusal is Refusal.NOTHING_LEFT


prices = st.decimals(min_value=0, max_value=1000, places=2)
floors = st.none() | st.decimals(min_value=0, max_value=Decimal("0.99"), places=2)
lines_of = st.builds(
    make_line,
    quantity=st.integers(1, 5) | st.decimals(min_value=Decimal("0.001"), max_value=3, places=3),
    unit_price=prices,
    unit_cost=st.none() | prices,
    product_id=st.sampled_from([MUG, TEA, POT]),
    category_id=st.sampled_from([CHINA, DRINKS, None]),
    list_price=st.none() | prices,
    is_goods=st.booleans(),
)
offers_of = st.builds(
    Terms,
    id=st.integers(1, 9),
    kind=st.sampled_from(["percent", "amount", "free_shipping", "free_item"]),
    percent=st.decimals(min_value=1, max_value=100, places=2),
    amount_cents=st.integers(1, 200_000),
    base=st.sampled_from(["after", "list"]),
    scope=st.sampled_from(["any", "every", "cheapest"]),
    product_ids=st.frozensets(st.sampled_from([MUG, TEA]), max_size=1),
    gift=st.builds(
        Gift,
        sku=st.just("POT"),
        product_id=st.just(POT),
        quantity=st.integers(1, 4),
        list_cents=st.integers(0, 5000),
        cost_cents=st.integers(0, 5000),
    ),
    is_stackable=st.booleans(),
    priority=st.integers(0, 3),
    max_discount_cents=st.none() | st.integers(1, 5000),
    line_floor=floors,
    order_floor=floors,
)
anything = given(st.lists(lines_of, min_size=1, max_size=5), st.lists(offers_of, max_size=4), st.integers(0, 2000))


@anything
@settings(max_examples=300, deadline=None)
def test_nothing_goes_below_zero_and_refused_offers_take_nothing(lines, offers, shipping_cents):
    results = discounts.price(lines, offers, exponent=2, shipping_cents=shipping_cents)

    assert len(results) == len(offers)
    for place, line in enumerate(lines):
        assert 0 <= sum(one.lines[place] for one in results) <= line.net_cents
        assert line.is_goods or not any(one.lines[place] for one in results)
    assert 0 <= sum(one.shipping_cents for one in results) <= shipping_cents
    for one in results:
        assert min(one.lines) >= 0
        assert one.held_back_cents >= 0
        assert one.saved_cents == 0 or one.refusal is None
        assert one.discount_cents + one.held_back_cents > 0 or one.free or one.refusal


@anything
@settings(max_examples=300, deadline=None)
def test_floors_hold_whatever_is_combined(lines, offers, shipping_cents):
    results = [one for one in discounts.price(lines, offers, exponent=2) if one.refusal is None]
    line_floor = max((one.terms.line_floor for one in results if one.terms.line_floor is not None), default=None)
    order_floor = max((one.terms.order_floor for one in results if one.terms.order_floor is not None), default=None)
    off = [sum(one.lines[place] for one in results if one.terms.kind != "free_item") for place in range(len(lines))]
    for line, cents in zip(lines, off, strict=True):
        if cents and line_floor is not None:
            paid = line.net_cents - cents
            assert paid - line.cost_cents(exponent=2) >= paid * line_floor - Decimal("0.000001") or (
                # A stricter offer came later: it took nothing more from this line.
                sum(1 for one in results if one.terms.kind != "free_item") > 1
            )
    paid = sum(line.net_cents for line in lines if line.is_goods) - sum(sum(one.lines) for one in results)
    cost = sum(line.cost_cents(exponent=2) for line in lines if line.is_goods)
    given = sum(one.terms.gift.cost_cents * one.free[0][1] for one in results if one.free)
    last = results[-1] if results else None
    if last and order_floor is not None and (sum(last.lines) or last.free) and last.terms.kind != "free_shipping":
        assert paid - cost - given >= paid * order_floor - Decimal("0.000001")


@anything
@settings(max_examples=200, deadline=None)
def test_caps_hold_and_nothing_disappears(lines, offers, shipping_cents):
    for one in discounts.price(lines, offers, exponent=2, shipping_cents=shipping_cents):
        cap = one.terms.max_discount_cents
        if cap is not None and one.terms.kind != "free_item":
            assert one.discount_cents <= cap
        if one.terms.kind == "amount" and one.refusal is None:
            assert one.discount_cents + one.held_back_cents <= one.terms.amount_cents


@anything
@settings(max_examples=100, deadline=None)
def test_exclusive_offers_are_never_combined(lines, offers, shipping_cents):
    taken = [
        one for one in discounts.price(lines, offers, exponent=2, shipping_cents=shipping_cents) if not one.refusal
    ]

    assert len(taken) <= 1 or all(one.terms.is_stackable for one in taken)


def test_a_missing_gift_is_a_mistake_of_ours():
    with pytest.raises(ValueError, match="without an item"):
        only([make_line()], Terms(id=1, kind="free_item"))
