"""Imports whose orders earned points are taken back, and the points with them; what people did since is not."""

import io

import pytest
from django.core.management import call_command
from django.utils import timezone

from core import business as settings_row
from core.models import Role, User
from customers.models import Customer, Email, Identity, ImportBatch, Order, PortalAccess, Product
from customers.services import portal, undo
from loyalty.models import Account, Credit, Reward
from loyalty.services import adjustments, crediting, points, rewards, tiers
from loyalty.services.rewards import Wish
from tests.customers.rows import order_row
from tests.customers.test_undo_import import load
from tests.factories import make_business
from tests.loyalty.accounts import disagreements, lifetime, totals
from tests.loyalty.rewards import make_reward, make_tier
from tests.loyalty.shop import make_rule, open_programme

pytestmark = pytest.mark.django_db


@pytest.fixture
def business():
    make_business(currency="EUR")
    open_programme(pending_days=0, credit_from="2020-01-01")
    make_rule(starts_at="2020-01-01T00:00:00Z")


def credit(batch):
    ids = list(Order.objects.filter(batch=batch).values_list("pk", flat=True))
    crediting.credit_orders(order_ids=ids, at=timezone.now())
    return ids


def test_points_are_taken_back_and_nothing_is_left_over(business):
    """Ann and Bob come by the import and earn; Ann reaches a tier. The same file again makes both anew."""
    make_tier(1, threshold=1)
    rows = (
        order_row(2, document="1", email="a@b.de", name="Ann"),
        order_row(3, document="2", customer="bob", name="Bob"),
    )
    batch = load(*rows)
    ids, people = credit(batch), list(Customer.objects.order_by("pk"))
    tiers.settle(customer_ids=[one.pk for one in people], business=settings_row.current(), at=timezone.now())
    assert all(totals(one)[0] > 0 for one in people)

    assert (undo.obstacle(batch_id=batch), undo.staying(batch_id=batch)) == ("", 2)
    out = io.StringIO()
    call_command("undo_import", str(batch), stdout=out)

    assert "2 customers stay as empty, archived rows" in out.getvalue()
    assert not any(model.objects.exists() for model in (Order, Product, Email, Identity))
    crediting.credit_orders(order_ids=ids, at=timezone.now())
    assert [totals(one) for one in people] == [(0, 0, 0)] * 2
    assert all((one := lifetime(who))[0] == one[3] > 0 for who in people)
    assert set(Credit.objects.values_list("points", flat=True)) == {0}
    assert disagreements() == []
    told = Customer.objects.values_list("name", "search", "batch")
    assert (set(told), Customer.objects.filter(archived_at=None).count()) == ({("", "", None)}, 0)
    again = load(*rows)
    credit(again)
    assert Customer.objects.filter(archived_at=None).count() == 2
    assert sorted(Account.objects.values_list("balance", flat=True))[:2] == [0, 0]
    assert disagreements() == []


def test_who_stays_as_an_empty_row_leaves_the_address_to_whom_the_same_file_makes_anew(business):
    rows = [order_row(2, document="1", email="ann@example.com")]
    batch = load(*rows)
    credit(batch)
    portal.enter(address="ann@example.com", at=timezone.now())
    assert undo.undo(batch_id=batch).staying == 1
    assert not PortalAccess.objects.exists()
    load(*rows)
    assert portal.find(address="ann@example.com").answer == "open"


def test_who_has_no_points_goes(business):
    batch = load(order_row(2, document="1"))
    assert undo.staying(batch_id=batch) == 0
    undo.undo(batch_id=batch)
    assert not Customer.objects.exists()


def redeem(customer):
    wish = Wish(customer_id=customer.pk, reward_id=make_reward(cost_points=1).pk)
    rewards.redeem(wish=wish, key="k", at=timezone.now(), place="till")


def adjust(customer):
    adjustments.adjust(customer_id=customer.pk, points=5, key="k", at=timezone.now(), reason="Late")


def earn(customer):
    points.earn(customer_id=customer.pk, points=5, key="birthday", at=timezone.now())


def reward(customer):
    Reward.objects.create(name="Mug", kind="product", cost_points=5, product=Product.objects.get())


@pytest.mark.parametrize(
    ("since", "said"),
    [
        (redeem, "customer Ann has redeemed points"),
        (adjust, "customer Ann has points that were adjusted by hand"),
        (earn, "customer Ann has points for more than orders"),
        (reward, "is in the reward Mug"),
    ],
)
def test_what_people_did_since_stands_in_the_way(business, since, said):
    batch = load(order_row(2, document="1", name="Ann"))
    credit(batch)
    since(Customer.objects.get())
    assert said in undo.obstacle(batch_id=batch)
    before = totals(Customer.objects.get())
    with pytest.raises(undo.CannotUndo, match=said):
        undo.undo(batch_id=batch)
    assert (Order.objects.count(), totals(Customer.objects.get())) == (1, before)


def test_the_page_says_who_stays(business, client):
    batch = load(order_row(2, document="1"))
    credit(batch)
    client.force_login(User.objects.create(email="ada@example.com", role=Role.MANAGER))
    page = client.get(f"/imports/batches/{batch}/undo/").content.decode()
    assert "1 customer stays" in page
    assert ImportBatch.objects.get().state == "done"
