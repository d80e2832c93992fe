"""The shelf and the queue as staff see them: lists, forms, pools of codes, steps and cancelling."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from core.models import Edit, Role, User
from loyalty.models import PoolCode, Redemption, Reward, RewardPrice
from tests.factories import make_business, make_product
from tests.forms import inputs, send
from tests.loyalty.rewards import (
    balance,
    fill_pool,
    left,
    make_member,
    make_programme,
    make_reward,
    make_tier,
    redeem,
    state,
)

LIST, QUEUE = "/loyalty/rewards/", "/loyalty/redemptions/"


def as_role(client, role):
    make_business(currency="EUR", time_zone="Europe/Berlin")
    make_programme()
    client.force_login(User.objects.create(email=f"{role}@example.com", role=role))
    return client


@pytest.fixture
def manager(client, db):
    return as_role(client, Role.MANAGER)


@pytest.fixture
def agent(client, db):
    return as_role(client, Role.AGENT)


def waiting(name="Ada", *, reward=None, **fields):
    customer = make_member(500, at=timezone.now(), name=name)
    return redeem(customer, reward or make_reward(), at=timezone.now(), **fields)


def text(answer):
    return " ".join(answer.content.decode().split())


# The shelf


def test_a_reward_is_put_on_the_shelf(manager):
    gold = make_tier(1, name="Gold")
    make_product(sku="MUG-1")

    answer = send(
        manager,
        f"{LIST}add/",
        name="Blue mug",
        kind="product",
        cost_points="500",
        product="MUG-1",
        stock="12",
        cap="2",
        cap_period="month",
        visible_from="2026-03-01T09:00",
        visible_until="2026-04-01T00:00",
        **{f"tier_{gold.pk}": "400"},
    )

    mug = Reward.objects.get()
    assert answer.url == f"{LIST}{mug.pk}/"
    assert (mug.name, mug.cost_points, mug.stock, mug.cap, mug.cap_period) == ("Blue mug", 500, 12, 2, "month")
    assert mug.visible_from == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert mug.product.sku == "MUG-1"
    assert RewardPrice.objects.get().cost_points == 400
    page = text(manager.get(answer.url))
    assert "From Gold on" in page
    assert Edit.objects.filter(about="loyalty_reward", about_id=mug.pk).exists()


def test_money_off_is_in_the_currency(manager):
    send(manager, f"{LIST}add/", name="Off", kind="money", cost_points="500", money_off="4,95")
    assert Reward.objects.get().money_off_cents == 495


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "money"}, "This kind of reward needs it."),
        ({"kind": "trial"}, "This kind of reward needs it."),
        ({"kind": "money", "money_off": "0"}, "above zero"),
        ({"cost_points": "0"}, "greater than or equal to 1"),
        ({"cost_points": ""}, "required"),
        ({"product": "NONE"}, "There is no product with the SKU “NONE”."),
        ({"stock": "-1"}, "greater than or equal to 0"),
        ({"visible_from": "2026-03-02T00:00", "visible_until": "2026-03-01T00:00"}, "until a time after the first"),
        ({"visible_from": "0001-01-01T00:00"}, "between 1901"),
    ],
)
def test_bad_input_is_said_at_its_field(manager, changes, words):
    told = {"name": "Mug", "kind": "product", "cost_points": "100"} | changes
    assert words in text(send(manager, f"{LIST}add/", **told))
    assert not Reward.objects.exists()


def test_editing_does_not_undo_what_was_sold_meanwhile(manager):
    """The form shows 5 pieces; one is redeemed before it is saved with another name: 4 are left."""
    mug = make_reward(stock=5, visible_from=datetime(2026, 1, 1, 7, 30, tzinfo=UTC))
    shown = inputs(manager.get(f"{LIST}{mug.pk}/edit/"), name="Green mug")
    redeem(make_member(500, at=timezone.now()), mug, at=timezone.now())

    manager.post(f"{LIST}{mug.pk}/edit/", shown)

    mug.refresh_from_db()
    assert (mug.name, mug.stock, mug.visible_from.hour) == ("Green mug", 4, 7)


def test_a_stock_that_two_changed_is_asked_about(manager):
    mug = make_reward(stock=5)
    shown = inputs(manager.get(f"{LIST}{mug.pk}/edit/"), stock="50")
    redeem(make_member(500, at=timezone.now()), mug, at=timezone.now())

    assert "Somebody else changed this" in text(manager.post(f"{LIST}{mug.pk}/edit/", shown))
    assert left(mug) == 4


def test_prices_of_tiers_change_and_go(manager):
    mug, (low, high) = make_reward(), (make_tier(1), make_tier(2))
    send(manager, f"{LIST}{mug.pk}/edit/", **{f"tier_{low.pk}": "90", f"tier_{high.pk}": "80"})
    send(manager, f"{LIST}{mug.pk}/edit/", **{f"tier_{low.pk}": "85", f"tier_{high.pk}": ""})

    assert list(RewardPrice.objects.values_list("tier", "cost_points")) == [(low.pk, 85)]


def test_archived_and_back(manager):
    mug = make_reward()
    manager.post(f"{LIST}{mug.pk}/archive/")
    assert mug.name not in text(manager.get(LIST))
    assert mug.name in text(manager.get(f"{LIST}?state=archived"))

    manager.post(f"{LIST}{mug.pk}/archive/", {"back": "1"})
    assert mug.name in text(manager.get(LIST))


def test_a_pool_is_filled(manager):
    reward = make_reward(kind="code")
    fill_pool(reward, "A1")

    page = manager.post(f"{LIST}{reward.pk}/codes/", {"codes": "A1\n B2 \n\nC3\nB2\n"}, follow=True)

    assert "2 codes are new in the pool." in text(page)
    assert "3 of 3 codes are free." in text(page)
    assert sorted(PoolCode.objects.values_list("code", flat=True)) == ["A1", "B2", "C3"]


def test_a_pool_refuses_what_is_no_code(manager):
    reward = make_reward(kind="code")
    assert "too long" in text(manager.post(f"{LIST}{reward.pk}/codes/", {"codes": "x" * 61}))
    assert manager.post(f"{LIST}{make_reward().pk}/codes/", {"codes": "A"}).status_code == 404


def test_the_list(manager):
    mug = make_reward(name="Mug", stock=0)
    make_reward(name="Later", visible_from=timezone.now() + timedelta(days=1))
    waiting(reward=make_reward(name="Cup"))

    page = text(manager.get(LIST))

    assert "Out of stock" in page
    assert "1 to hand over" in page
    assert "Later" not in page
    assert "Later" in text(manager.get(f"{LIST}?state=hidden"))
    assert mug.name in page


def test_an_empty_shelf_says_what_to_do(manager):
    assert "Put the first one on the shelf" in text(manager.get(LIST))


def test_agents_read_the_shelf_but_do_not_write(agent):
    mug = make_reward()
    assert "Add reward" not in text(agent.get(LIST))
    assert agent.get(f"{LIST}{mug.pk}/").status_code == 200
    assert agent.get(f"{LIST}add/").status_code == 403
    assert agent.post(f"{LIST}{mug.pk}/archive/").status_code == 403


def test_queries_of_the_list(manager, django_assert_num_queries):
    make_reward()
    manager.get(LIST)
    with django_assert_num_queries(10):
        manager.get(LIST)
    for _more in range(3):
        waiting(reward=make_reward(kind="trial", trial_days=3))
    with django_assert_num_queries(10):
        manager.get(LIST)


# The queue


def test_one_is_laid_ready_and_handed_over(agent):
    one = waiting("Ada")
    assert "Ada" in text(agent.get(QUEUE))

    agent.post(f"{QUEUE}mark/", {"step": f"ready:{one.pk}"})
    assert state(one) == "ready"
    assert "Ada" not in text(agent.get(QUEUE))
    assert "Ada" in text(agent.get(f"{QUEUE}?tab=ready"))

    agent.post(f"{QUEUE}mark/", {"step": f"handed_over:{one.pk}"})
    one.refresh_from_db()
    assert (one.state, one.handled_by.role) == ("handed_over", "agent")


def test_ticked_ones_are_marked_together(agent):
    several = [waiting(name) for name in ("Ada", "Bob", "Cem")]

    answer = agent.post(
        f"{QUEUE}mark/",
        {"step": "sent", "redemption": [one.pk for one in several[:2]], "next": f"{QUEUE}?q=a"},
    )

    assert answer.url == f"{QUEUE}?q=a"
    assert [state(one) for one in several] == ["sent", "sent", "committed"]


def test_what_moved_on_meanwhile_is_said(agent):
    one, other = waiting("Ada"), waiting("Bob")
    agent.post(f"{QUEUE}mark/", {"step": f"sent:{one.pk}"})

    page = agent.post(f"{QUEUE}mark/", {"step": "ready", "redemption": [one.pk, other.pk]}, follow=True)

    assert "The rest had moved on meanwhile." in text(page)
    assert (state(one), state(other)) == ("sent", "ready")


@pytest.mark.parametrize(
    "told", [{}, {"step": "ready"}, {"step": "cancelled:1"}, {"step": "ready:x"}, {"step": "held", "redemption": ["1"]}]
)
def test_nothing_ticked(agent, told):
    one = waiting()
    assert "Tick the rows" in text(agent.post(f"{QUEUE}mark/", told, follow=True))
    assert state(one) == "committed"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/loyalty/", "//evil.example/loyalty/", "/settings/"])
def test_one_does_not_land_elsewhere(agent, elsewhere):
    one = waiting()
    assert agent.post(f"{QUEUE}mark/", {"step": f"ready:{one.pk}", "next": elsewhere}).url == QUEUE


def test_cancelled_with_a_reason(agent):
    mug = make_reward(stock=1)
    one = waiting("Ada", reward=mug)

    assert "This field is required" in text(agent.post(f"{QUEUE}{one.pk}/cancel/", {"reason": ""}))
    page = agent.post(f"{QUEUE}{one.pk}/cancel/", {"reason": "Broken"}, follow=True)

    assert "Cancelled: the points went back." in text(page)
    assert "Broken" in text(page)
    assert (balance(one.customer), left(mug), state(one)) == (500, 1, "cancelled")


def test_what_was_sent_is_not_cancelled(agent):
    one = waiting()
    Redemption.objects.update(state="sent", made_at=timezone.now() - timedelta(hours=1), handled_at=timezone.now())

    page = agent.post(f"{QUEUE}{one.pk}/cancel/", {"reason": "Late"}, follow=True)

    assert "It was sent on" in text(page)
    assert balance(one.customer) == 400


def test_searching(agent):
    mug, cup = make_reward(name="Mug"), make_reward(name="Cup")
    ada, bob = waiting("Ada", reward=mug), waiting("Bob", reward=cup)
    for one in (ada, bob):
        one.customer.search = one.customer.name.lower()
        one.customer.save(update_fields=["search"])

    def names(query):
        page = text(agent.get(f"{QUEUE}?{query}"))
        return [name for name in ("Ada", "Bob") if f">{name}</a>" in page]

    assert names("") == ["Ada", "Bob"]
    assert names("q=bob") == ["Bob"]
    assert names(f"q={ada.code[:4]}-{ada.code[4:].lower()}") == ["Ada"]
    assert names(f"reward={cup.pk}") == ["Bob"]
    assert names("q=nobody") == []
    assert names("tab=all&q=\0") == ["Ada", "Bob"]


def test_a_viewer_sees_and_does_nothing(client, db):
    viewer = as_role(client, Role.VIEWER)
    one = waiting("Ada")
    assert "Lay ready" not in text(viewer.get(QUEUE))
    assert "Hand over" not in text(viewer.get(f"{QUEUE}{one.pk}/"))
    assert viewer.post(f"{QUEUE}mark/", {"step": f"ready:{one.pk}"}).status_code == 403
    assert viewer.post(f"{QUEUE}{one.pk}/cancel/", {"reason": "x"}).status_code == 403


def test_an_empty_queue(agent):
    assert "Nothing redeemed yet" in text(agent.get(QUEUE))
    one = waiting()
    agent.post(f"{QUEUE}mark/", {"step": f"sent:{one.pk}"})
    assert "Nothing waits" in text(agent.get(QUEUE))


def test_the_part_alone(agent):
    waiting("Ada")
    page = agent.get(QUEUE, headers={"HX-Request": "true"}).content.decode()
    assert "Ada" in page
    assert "<html" not in page
