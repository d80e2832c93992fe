"""What cannot be meant is refused by name and in plain words, over HTTP and on pages, and moves no points.

One shop, one walk: after each refusal the totals are those from before, and the ledger agrees with itself.
"""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.models import Role, User
from customers.models import Refund
from loyalty.models import Use
from loyalty.problems import AccountHasHolds
from loyalty.services import merging, points
from tests.api.callers import caller, codes
from tests.factories import make_business, make_product
from tests.forms import inputs
from tests.loyalty.accounts import disagreements, totals
from tests.loyalty.offers import make_code, make_offer
from tests.loyalty.rewards import make_member, make_tier
from tests.loyalty.shop import credit, line, make_rule, open_programme, order

API = "/api/v1"


@pytest.fixture
def desk(client, db):
    make_business(currency="EUR")
    open_programme(pending_days=0, worth_cents=100)
    make_rule()
    make_product(sku="BEANS", unit_price="10.00")
    client.force_login(User.objects.create(email="ada@example.com", role=Role.MANAGER))
    return client


def post(path, body, key="k"):
    return caller("admin").post(f"{API}/{path}/", body, Idempotency_Key=key)


def refused(answer, code, words=""):
    """The answer is a refusal of this name; `words` stand in its text."""
    assert answer.status_code in {400, 409}, answer.content
    assert code in codes(answer).values()
    assert words in " ".join(error["detail"] for error in answer.json()["errors"])
    return True


def says(page, words):
    """The page came, and says so."""
    assert page.status_code in {200, 422}
    assert words in " ".join(page.content.decode().split())
    return True


class Story:
    """Two customers, one with a paid order of two bags at 10.00; `stands` holds after every step."""

    def __init__(self):
        now = timezone.now()
        self.ann, self.twin = make_member(500, at=now), make_member(70, at=now)
        self.order = order(self.ann, line("10.00", quantity=2), at=now - timedelta(hours=1))
        credit(self.order, at=now)
        self.before = [(520, 0, 0), (70, 0, 0)]

    def stands(self):
        assert [totals(self.ann), totals(self.twin)] == self.before
        assert disagreements() == []
        return True


def a_basket_with_a_negative_quantity(desk, story):
    ann = story.ann
    minus = [{"sku": "BEANS", "quantity": -1, "unit_price": "10.00"}]
    assert refused(post(f"points/{ann.pk}/quote", {"basket": minus}), "range")
    assert refused(post(f"codes/{make_code().code}/redeem", {"customer": str(ann.pk), "basket": minus}), "range")
    basket = {"sku": "BEANS", "quantity": "-1", "price": ""}
    assert says(desk.get(f"/till/{ann.pk}/", basket), "The quantity has to be more than zero.")
    assert says(desk.get("/loyalty/try/", {"sku": "BEANS", "quantity": "-1"}), "greater than or equal to 0.001")


def a_code_with_letters_that_look_like_digits_is_the_code_that_was_meant(desk, story):
    make_code(make_offer(kind="amount", amount_cents=300), text="SUMMER10")
    used = post("codes/summer-io/redeem", {"customer": str(story.ann.pk)}, key="look-alikes")
    assert (used.status_code, used.json()["code"], used.json()["discount"]) == (201, "SUMMER10", "3.00")


def an_expired_code_says_when(desk, story):
    gone = make_code(make_offer(ends_at=timezone.now() - timedelta(days=400)), text="WINTER20")
    last = timezone.localtime(gone.offer.ends_at)
    assert refused(post("codes/WINTER20/redeem", {"customer": str(story.ann.pk)}), "code_expired", f"{last.year}")
    assert Use.objects.count() == 1


def more_comes_back_than_was_bought(desk, story):
    placed = story.order
    assert refused(post(f"orders/{placed.pk}/refunds", back("r-1", 3)), "too_much", "more than was bought")
    form = inputs(desk.get(f"/orders/{placed.pk}/refund/"))
    too_many = form | {f"quantity_{placed.lines.get().pk}": "3"}
    assert says(desk.post(f"/orders/{placed.pk}/refund/", too_many), "than was bought")
    assert not Refund.objects.exists()


def the_same_comes_back_twice(desk, story):
    placed = story.order
    assert [post(f"orders/{placed.pk}/refunds", back("r-1", 1), key=key).status_code for key in "ab"] == [201, 200]
    credit(placed, at=timezone.now())
    credit(placed, at=timezone.now())
    story.before[0] = (510, 0, 0)
    assert story.stands()
    assert refused(post(f"orders/{placed.pk}/refunds", back("r-2", 2)), "too_much")


def back(number, quantity):
    return {"external_id": number, "lines": [{"sku": "BEANS", "quantity": quantity}]}


def a_tier_that_nobody_reaches_is_allowed_and_named(desk, story):
    make_tier(1, name="Silver", threshold=100)
    rules = inputs(desk.get("/loyalty/tiers/rules/")) | {"tiers-1-name": "Platinum", "tiers-1-threshold": "900000"}
    assert says(desk.post("/loyalty/tiers/rules/", rules | {"preview": "1"}), "Nobody would be in Platinum")


def more_points_than_can_be_booked(desk, story):
    ann, reason = story.ann, {"reason": "Oops"}
    path = f"points/{ann.pk}/adjust"
    assert refused(post(path, reason | {"points": 10**12 + 1}), "max_value", "1,000,000,000,000")
    assert refused(post(f"points/{ann.pk}/redeem", {"points": 10**12 + 1}), "max_value")
    assert refused(post(path, reason | {"points": -521}), "insufficient_points", "not enough")
    assert says(desk.get(f"/till/{ann.pk}/redeem/", {"points": 10**13}), "less than or equal to")


def two_accounts_of_which_one_has_points_on_hold(desk, story):
    now = timezone.now()
    points.hold(customer_id=story.twin.pk, points=30, key="hold", at=now, until=now + timedelta(hours=1))
    story.before[1] = (40, 0, 30)
    with pytest.raises(AccountHasHolds, match="Redeem or release them first"):
        merging.merge(into=story.ann.pk, other=story.twin.pk, key="merge", at=timezone.now())


WALK = (
    a_basket_with_a_negative_quantity,
    a_code_with_letters_that_look_like_digits_is_the_code_that_was_meant,
    an_expired_code_says_when,
    more_comes_back_than_was_bought,
    the_same_comes_back_twice,
    a_tier_that_nobody_reaches_is_allowed_and_named,
    more_points_than_can_be_booked,
    two_accounts_of_which_one_has_points_on_hold,
)


def test_the_walk(desk):
    story = Story()
    assert story.stands()
    for step in WALK:
        step(desk, story)
        assert story.stands(), step
