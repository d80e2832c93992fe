"""Rewards over HTTP: the shelf read and written."""

from datetime import timedelta

import pytest
from django.utils import timezone

from loyalty.models import Reward, RewardPrice
from tests.api.callers import caller, codes
from tests.factories import make_business, make_product
from tests.loyalty.rewards import fill_pool, make_programme, make_reward, make_tier

LIST = "/api/v1/rewards/"


@pytest.fixture
def api(db):
    make_business()
    make_programme()
    return caller("loyalty")


def body(**changes):
    return {"name": "Mug", "kind": "product", "points": 100} | changes


def test_it_works(api):
    make_product(sku="MUG-1")

    answer = api.post(LIST, body(sku="MUG-1", stock=12, cap=1, description="Blue"))

    told = answer.json()
    assert answer.status_code == 201
    assert {name: told[name] for name in ("name", "points", "sku", "stock", "left", "cap", "cap_period")} == {
        "name": "Mug",
        "points": 100,
        "sku": "MUG-1",
        "stock": 12,
        "left": 12,
        "cap": 1,
        "cap_period": "ever",
    }
    assert api.get(f"{LIST}{told['id']}/").json() == told
    assert api.get(LIST).json()["results"] == [told]


def test_put_writes_it_anew_and_leaves_the_prices_of_tiers(api):
    mug = make_reward(stock=3, cap=2)
    RewardPrice.objects.create(reward=mug, tier=make_tier(1), cost_points=80)

    told = api.put(f"{LIST}{mug.pk}/", body(name="Cup", kind="money", points=250, money_off="2.50")).json()

    assert (told["name"], told["kind"], told["money_off"], told["stock"], told["cap"]) == (
        "Cup",
        "money",
        "2.50",
        None,
        None,
    )
    assert RewardPrice.objects.get().cost_points == 80


def test_what_a_kind_does_not_have_is_dropped(api):
    told = api.post(LIST, body(money_off="5.00", trial_days=7)).json()
    assert (told["money_off"], told["trial_days"]) == (None, None)


def test_the_list_shows_what_is_offered(api):
    now = timezone.now()
    offered = make_reward()
    hidden = make_reward(visible_from=now + timedelta(days=1))
    gone = make_reward(archived_at=now)

    def ids(query=""):
        return [int(row["id"]) for row in api.get(LIST + query).json()["results"]]

    assert ids() == ids("?state=offered") == [offered.pk]
    assert ids("?state=hidden") == [hidden.pk]
    assert ids("?state=archived") == [gone.pk]
    assert ids("?state=all") == [gone.pk, hidden.pk, offered.pk]


def test_a_pool_of_codes_is_its_stock(api):
    reward = make_reward(kind="code")
    fill_pool(reward, "A", "B")
    assert api.get(f"{LIST}{reward.pk}/").json()["left"] == 2


@pytest.mark.parametrize(
    ("changes", "attr", "code"),
    [
        ({"name": ""}, "name", "blank"),
        ({"kind": "car"}, "kind", "invalid_choice"),
        ({"points": 0}, "points", "min_value"),
        ({"points": 10**12 + 1}, "points", "max_value"),
        ({"stock": -1}, "stock", "min_value"),
        ({"cap": 0}, "cap", "min_value"),
        ({"kind": "money"}, "money_off", "needed_by_kind"),
        ({"kind": "money", "money_off": "0"}, "money_off", "needed_by_kind"),
        ({"kind": "trial"}, "trial_days", "needed_by_kind"),
        ({"sku": "NONE"}, "sku", "does_not_exist"),
        ({"visible_from": "2026-03-02T00:00:00Z", "visible_until": "2026-03-01T00:00:00Z"}, "visible_until", "range"),
        ({"id": "5"}, "id", "unknown_field"),
    ],
)
def test_bad_input_is_named(api, changes, attr, code):
    answer = api.post(LIST, body(**changes))
    assert (answer.status_code, codes(answer)) == (400, {attr: code})
    assert not Reward.objects.exists()


def test_no_such_reward(api):
    assert api.get(f"{LIST}99/").status_code == api.put(f"{LIST}99/", body()).status_code == 404


def test_a_key_for_reading_does_not_write(api):
    reader = caller("loyalty:read")
    assert reader.get(LIST).status_code == 200
    assert reader.post(LIST, body()).status_code == 403


def test_the_same_key_makes_one_reward(api):
    for _again in range(2):
        api.post(LIST, body(), Idempotency_Key="k")
    assert Reward.objects.count() == 1


def test_queries(api, django_assert_num_queries):
    make_reward()
    api.get(LIST)
    for _more in range(2):
        with django_assert_num_queries(4):
            api.get(LIST)
        make_reward()
