"""Points over HTTP: reading, quotes, redeeming, holds and adjustments."""

from datetime import timedelta

import pytest
from django.utils import timezone

from customers.models import Customer
from loyalty.models import Adjustment, EarningRule, Programme, Redemption
from loyalty.services import points, rewards
from loyalty.services.refusals import SwitchedOff
from loyalty.services.rewards import Wish
from tests.api.callers import caller, codes
from tests.factories import make_business, make_customer, make_product
from tests.loyalty.rewards import (
    balance,
    fill_pool,
    left,
    make_member,
    make_programme,
    make_reward,
    make_tier,
    stand,
    state,
)


@pytest.fixture
def api(db):
    make_business()
    make_programme(worth_cents=50, hold_minutes=15)
    return caller("loyalty")


def member(balance=500, **fields):
    return make_member(balance, at=timezone.now(), **fields)


def url(customer, *parts):
    return "/".join(["/api/v1/points", str(customer.pk), *map(str, parts), ""])


def redeem(api, customer, body, *, key="k-1", action="redeem"):
    return api.post(url(customer, action), body, Idempotency_Key=key)


def test_an_account(api):
    """500 that expire in a year, and 120 that are pending."""
    now = timezone.now()
    customer = member(500, expires_at=now + timedelta(days=365))
    points.earn(customer_id=customer.pk, points=120, key="p", at=now, active_at=now + timedelta(days=14))
    stand(customer, make_tier(1, name="Silver"))

    told = api.get(url(customer)).json()

    lots = told.pop("lots")
    assert told == {"balance": 500, "pending": 120, "held": 0, "earned_12m": 620, "tier": "Silver"}
    assert [(lot["points"], lot["left"], lot["expires_at"] is None) for lot in lots] == [
        (500, 500, False),
        (120, 120, True),
    ]


def test_who_has_no_points_yet(api):
    told = api.get(url(make_customer())).json()
    assert told == {"balance": 0, "pending": 0, "held": 0, "earned_12m": 0, "tier": None, "lots": []}


def test_points_off_a_bill(api):
    customer = member(500)

    answer = redeem(api, customer, {"points": 100})

    told = answer.json()
    assert (answer.status_code, told["points"], told["balance"], told["money_off"]) == (201, 100, 400, "0.50")
    assert (told["state"], told["code"], balance(customer)) == ("handed_over", None, 400)
    assert Redemption.objects.get().pk == int(told["id"])


def test_a_reward(api):
    customer, mug = member(500), make_reward(stock=2)

    told = redeem(api, customer, {"reward": str(mug.pk)}).json()

    one = Redemption.objects.get()
    assert (told["reward"], told["state"], told["code"]) == (str(mug.pk), "committed", one.code)
    assert (told["balance"], left(mug)) == (400, 1)


def test_a_discount_code_is_the_code(api):
    customer, reward = member(500), make_reward(kind="code")
    fill_pool(reward, "SAVE-1")

    told = redeem(api, customer, {"reward": str(reward.pk)}).json()

    assert (told["code"], told["state"]) == ("SAVE-1", "sent")


def test_the_same_key_is_answered_alike_and_counts_once(api):
    customer = member(500)

    first, second = (redeem(api, customer, {"points": 100}) for _again in range(2))

    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert (balance(customer), Redemption.objects.count()) == (400, 1)


def test_the_same_key_for_another_body(api):
    customer = member(500)
    redeem(api, customer, {"points": 100})

    answer = redeem(api, customer, {"points": 200})

    assert (answer.status_code, codes(answer)) == (422, {None: "idempotency_mismatch"})
    assert balance(customer) == 400


@pytest.mark.parametrize("action", ["redeem", "holds", "adjust"])
def test_without_a_key(api, action):
    answer = api.post(url(member(500), action), {"points": 100})

    assert (answer.status_code, codes(answer)) == (400, {"Idempotency-Key": "required"})


def test_not_enough_points(api):
    customer = member(99)

    answer = redeem(api, customer, {"points": 100})

    assert (answer.status_code, codes(answer)) == (409, {None: "insufficient_points"})
    assert (balance(customer), Redemption.objects.count()) == (99, 0)


def test_a_refusal_leaves_the_key_unused(api):
    customer = member(50)
    assert redeem(api, customer, {"points": 100}).status_code == 409
    points.earn(customer_id=customer.pk, points=50, key="more", at=timezone.now() - timedelta(minutes=1))

    assert redeem(api, customer, {"points": 100}).status_code == 201


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"stock": 0}, "out_of_stock"),
        ({"archived_at": timezone.now() - timedelta(days=1)}, "not_offered"),
        ({"visible_from": timezone.now() + timedelta(days=9)}, "not_offered"),
    ],
)
def test_rewards_that_cannot_be_had(api, fields, code):
    customer, mug = member(500), make_reward(**fields)

    answer = redeem(api, customer, {"reward": str(mug.pk)})

    assert (answer.status_code, codes(answer)) == (409, {None: code})
    assert balance(customer) == 500


def test_a_cap(api):
    customer, mug = member(500), make_reward(cap=1)
    redeem(api, customer, {"reward": str(mug.pk)})

    answer = redeem(api, customer, {"reward": str(mug.pk)}, key="k-2")

    assert (answer.status_code, codes(answer), balance(customer)) == (409, {None: "cap_reached"}, 400)


@pytest.mark.parametrize(
    ("body", "attr", "code"),
    [
        ({}, "points", "points_or_reward"),
        ({"points": 10, "reward": "1"}, "points", "points_or_reward"),
        ({"points": 0}, "points", "min_value"),
        ({"points": -5}, "points", "min_value"),
        ({"points": "100"}, "points", "invalid"),
        ({"points": 10**12 + 1}, "points", "max_value"),
        ({"reward": "999999"}, "reward", "does_not_exist"),
        ({"reward": "x"}, "reward", "invalid"),
        ({"point": 5}, "point", "unknown_field"),
    ],
)
def test_bad_input_is_named(api, body, attr, code):
    answer = redeem(api, member(500), body)

    assert (answer.status_code, codes(answer)[attr]) == (400, code)


def test_nobody(api):
    nobody = Customer(pk=10**9)

    assert api.get(url(nobody)).status_code == 404
    assert api.post(url(nobody, "quote"), {}).status_code == 404
    for action, body in (("redeem", {"points": 1}), ("holds", {"points": 1}), ("adjust", {"points": 1, "reason": "x"})):
        assert redeem(api, nobody, body, action=action).status_code == 404


# Holds


def test_hold_and_commit(api):
    customer, mug = member(500), make_reward(stock=1)

    held = redeem(api, customer, {"reward": str(mug.pk)}, action="holds")
    told = held.json()
    assert (held.status_code, told["state"], told["balance"], told["code"]) == (201, "held", 400, None)
    assert (told["expires_at"] is not None, left(mug)) == (True, 0)
    assert api.get(url(customer)).json()["held"] == 100

    done = [api.post(url(customer, "holds", told["id"], "commit")) for _again in range(2)]
    assert [one.status_code for one in done] == [200, 200]
    assert done[0].json() == done[1].json()
    assert (done[0].json()["state"], done[0].json()["balance"]) == ("committed", 400)
    assert done[0].json()["code"] == Redemption.objects.get().code


def test_hold_and_release(api):
    customer, mug = member(500), make_reward(stock=1)
    pk = redeem(api, customer, {"reward": str(mug.pk)}, action="holds").json()["id"]

    answers = [api.post(url(customer, "holds", pk, "release")) for _again in range(2)]

    assert [(one.status_code, one.json()["balance"]) for one in answers] == [(200, 500)] * 2
    assert left(mug) == 1
    answer = api.post(url(customer, "holds", pk, "commit"))
    assert (answer.status_code, codes(answer)) == (409, {None: "too_late"})


def test_a_hold_of_somebody_else_is_not_there(api):
    customer, other = member(500), member(500)
    pk = redeem(api, customer, {"points": 100}, action="holds").json()["id"]
    redeemed = redeem(api, customer, {"points": 100}, key="k-2").json()["id"]

    for action in ("commit", "release"):
        assert api.post(url(other, "holds", pk, action)).status_code == 404
        assert api.post(url(customer, "holds", redeemed, action)).status_code == 404
    assert state(Redemption.objects.get(pk=pk)) == "held"


# Quotes


def test_a_quote(api):
    """A basket of 20.00: it earns 20; 500 points take 2.50 off; the mug is within reach, the coat is not."""
    EarningRule.objects.create(name="All", points=1, per_cents=100, starts_at=timezone.now() - timedelta(days=9))
    make_product(sku="MUG-1", unit_price="10.00")
    mug, coat = make_reward(), make_reward(cost_points=900)
    make_reward(stock=0)

    told = api.post(url(member(500), "quote"), {"basket": [{"sku": "MUG-1", "quantity": 2}]}).json()

    assert (told["balance"], told["earns"], told["points"], told["money_off"]) == (500, 20, 500, "2.50")
    assert [(one["id"], one["missing"]) for one in told["rewards"]] == [(str(mug.pk), 0)]
    assert [(one["id"], one["missing"]) for one in told["almost"]] == [(str(coat.pk), 400)]


def test_while_the_programme_is_off_a_quote_promises_nothing(api):
    make_reward()
    customer = member(500)
    Programme.objects.update(opened_at=None)
    told = api.post(url(customer, "quote"), {"basket": [{"sku": "X", "quantity": 1, "unit_price": "9.00"}]}).json()
    assert (told["balance"], told["points"], told["money_off"], told["rewards"]) == (500, 0, "0.00", [])


def test_a_quote_without_a_basket_tells_the_rewards(api):
    mug = make_reward()
    told = api.post(url(member(500), "quote"), {}).json()
    assert (told["earns"], told["points"], [one["id"] for one in told["rewards"]]) == (0, 0, [str(mug.pk)])


@pytest.mark.parametrize(
    "line",
    [
        {"sku": "X", "quantity": 1},
        {"sku": "X", "quantity": -1, "unit_price": "5.00"},
        {"sku": "X", "quantity": 1, "unit_price": "-5.00"},
    ],
)
def test_a_basket_that_cannot_be(api, line):
    answer = api.post(url(member(500), "quote"), {"basket": [line]})
    assert answer.status_code == 400
    assert all(attr.startswith("basket") for attr in codes(answer))


def test_two_quotes_promise_what_one_redemption_gets(api):
    """Both say 500 points can go; the second to redeem them is refused, and nothing is overdrawn."""
    customer = member(500)
    basket = {"basket": [{"sku": "X", "quantity": 1, "unit_price": "9.00"}]}
    promised = [api.post(url(customer, "quote"), basket).json()["points"] for _again in range(2)]
    assert promised == [500, 500]

    answers = [redeem(api, customer, {"points": points}, key=f"k-{n}") for n, points in enumerate(promised)]

    assert [one.status_code for one in answers] == [201, 409]
    assert balance(customer) == 0


# Adjustments


def test_an_adjustment_is_active_at_once(api):
    customer = member(100)

    answer = redeem(api, customer, {"points": 500, "reason": "Sorry"}, action="adjust")

    told = answer.json()
    assert (answer.status_code, told["state"], told["balance"], balance(customer)) == (201, "done", 600, 600)


def test_above_the_limit_it_waits(api):
    customer = member(100)

    answer = redeem(api, customer, {"points": 5_001, "reason": "Sorry"}, action="adjust")

    assert (answer.status_code, answer.json()["state"], balance(customer)) == (202, "waiting", 100)
    assert Adjustment.objects.get().pk == int(answer.json()["id"])


@pytest.mark.parametrize(
    ("body", "attr", "code"),
    [
        ({"points": 5}, "reason", "required"),
        ({"points": 5, "reason": " "}, "reason", "blank"),
        ({"points": 0, "reason": "x"}, "points", "not_points"),
        ({"reason": "x"}, "points", "required"),
    ],
)
def test_adjustments_that_cannot_be(api, body, attr, code):
    answer = redeem(api, member(100), body, action="adjust")
    assert (answer.status_code, codes(answer)) == (400, {attr: code})


def test_more_than_there_is_cannot_be_taken(api):
    answer = redeem(api, member(100), {"points": -101, "reason": "x"}, action="adjust")
    assert (answer.status_code, codes(answer)) == (409, {None: "insufficient_points"})


# Keys


def test_a_key_for_reading_moves_nothing(api):
    reader, customer = caller("loyalty:read"), member(500)

    assert reader.get(url(customer)).status_code == 200
    for action in ("redeem", "holds", "adjust", "quote"):
        assert redeem(reader, customer, {"points": 1}, action=action).status_code == 403
    assert caller("orders").get(url(customer)).status_code == 403
    assert balance(customer) == 500


def test_before_the_programme_is_on_programs_bring_points_over_and_spend_them(api):
    make_programme(opened_at=None)
    customer = make_customer()
    body = {"points": 500, "reason": "From the old system"}
    assert api.post(url(customer, "adjust"), body, Idempotency_Key="k-0").status_code == 201
    assert redeem(api, customer, {"points": 100}).json()["balance"] == 400
    with pytest.raises(SwitchedOff):
        rewards.redeem(
            wish=Wish(customer_id=customer.pk, points=1), key="t", at=timezone.now(), place=Redemption.Place.TILL
        )
    assert balance(customer) == 400


def test_redeeming_takes_few_queries(api, django_assert_max_num_queries):
    """The key, its business, the idempotency key, the programme, the ledger, the redemption: one each."""
    customer = member(500)
    redeem(api, customer, {"points": 1}, key="warm")
    with django_assert_max_num_queries(12):
        assert redeem(api, customer, {"points": 100}).status_code == 201
