"""Offers, codes and price lists as people see and write them."""

from decimal import Decimal

import pytest
from django.urls import reverse

from core import engine
from core.models import Job, User
from customers.models import Category, Segment
from loyalty.models import Code, Offer, PriceItem, PriceList
from loyalty.services import codes
from tests import factories
from tests.forms import send
from tests.loyalty.offers import make_code, make_offer, redeem

pytestmark = pytest.mark.django_db

FORM = {
    "name": "Spring",
    "kind": "percent",
    "percent": "12.5",
    "base": "after",
    "scope": "any",
    "stacking": "exclusive",
    "priority": "0",
    "line_floor": "10",
    "order_floor": "",
    "holder_only": "on",
}


def sign_in(client, *, role):
    factories.make_business()
    client.force_login(User.objects.create_user(f"{role}@example.com", role=role, name="Mara"))
    return client


@pytest.fixture
def marketer(client):
    return sign_in(client, role="marketer")


@pytest.fixture
def manager(client):
    return sign_in(client, role="manager")


def text(answer):
    return " ".join(answer.content.decode().split())


class TestList:
    def test_it_shows_uses_and_cost(self, client, marketer):
        offer = make_offer(name="Spring", budget_cents=4_000)
        redeem(make_code(offer))
        page = text(client.get(reverse("loyalty:offer_list")))

        assert "Spring" in page
        assert "10% off" in page
        assert "25% of $40.00" in page

    def test_nothing_yet(self, client, marketer):
        assert "No offers yet" in text(client.get(reverse("loyalty:offer_list")))

    def test_tabs(self, client, marketer):
        make_offer(name="Resting", state="paused")

        assert "Resting" not in text(client.get(reverse("loyalty:offer_list")))
        assert "Resting" in text(client.get(reverse("loyalty:offer_list"), {"state": "paused"}))
        assert client.get(reverse("loyalty:offer_list"), {"state": "x", "page": "9"}).status_code == 200

    def test_a_longer_list_takes_as_many_queries(self, client, marketer, django_assert_max_num_queries):
        for _ in range(5):
            make_code(make_offer())
        with django_assert_max_num_queries(13):
            client.get(reverse("loyalty:offer_list"))


class TestForm:
    def test_it_works(self, client, marketer):
        china = Category.objects.create(name="China")
        factories.make_product(sku="MUG")
        told = {"categories": [china.pk], "products": "MUG\n", "weekdays": ["0", "6"], "budget": "1,000.00"}
        answer = client.post(reverse("loyalty:offer_add"), FORM | told)
        offer = Offer.objects.get()

        assert answer.url == reverse("loyalty:offer_codes", args=[offer.pk])
        assert (offer.percent, offer.line_floor, offer.order_floor) == (Decimal("12.5"), Decimal("0.1"), None)
        assert (offer.weekdays, offer.budget_cents) == (0b1000001, 100_000)
        assert [row.sku for row in offer.products.all()] == ["MUG"]
        assert list(offer.categories.all()) == [china]

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"percent": ""}, "This kind of offer needs it."),
            ({"kind": "amount"}, "This kind of offer needs it."),
            ({"percent": "101"}, "less than or equal to 100"),
            ({"products": "NOBODY"}, "There is no product with the SKU “NOBODY”."),
            ({"from_time": "10:00"}, "Write both hours or none."),
            ({"starts_at": "2026-03-02T10:00", "ends_at": "2026-03-01T10:00"}, "The end comes after the beginning."),
            ({"budget": "0"}, "Write an amount above zero."),
        ],
    )
    def test_it_says_what_is_wrong(self, client, marketer, changed, said):
        answer = client.post(reverse("loyalty:offer_add"), FORM | changed)

        assert answer.status_code == 422
        assert said in text(answer)
        assert not Offer.objects.exists()

    def test_editing_keeps_what_is_not_changed(self, client, marketer):
        offer = make_offer(name="Spring", max_uses=5, minimum_cents=1_999, line_floor=Decimal("0.125"), weekdays=3)
        url = reverse("loyalty:offer_edit", args=[offer.pk])
        assert send(client, url, name="Summer").url == offer.get_absolute_url()
        before = {name: value for name, value in vars(offer).items() if not name.startswith("_")}
        offer.refresh_from_db()

        assert {name: getattr(offer, name) for name in before} == before | {"name": "Summer"}

    def test_caps_below_what_was_used_are_refused(self, client, marketer):
        offer = make_offer()
        for _ in range(2):
            redeem(make_code(offer))
        url = reverse("loyalty:offer_edit", args=[offer.pk])
        page = text(client.post(url, FORM | {"max_uses": "1", "budget": "5.00"}))

        assert "It was used 2 times already." in page
        assert "$20.00 of discounts were given already." in page


class TestState:
    def test_pause_go_on_and_end(self, client, marketer):
        offer = make_offer()
        url = reverse("loyalty:offer_state", args=[offer.pk])
        states = []
        for action in ("pause", "resume", "end", "resume", "nonsense"):
            client.post(url, {"action": action})
            offer.refresh_from_db()
            states.append(offer.state)

        assert states == ["paused", "active", "ended", "ended", "ended"]


class TestCodes:
    def test_a_chosen_one(self, client, marketer):
        offer = make_offer()
        url = reverse("loyalty:offer_codes", args=[offer.pk])
        client.post(url, {"text": "Summer 10", "uses": "100"})

        assert list(Code.objects.values_list("code", "label", "max_uses")) == [("SUMMER10", "SUMMER10", 100)]
        assert "reads the same" in text(client.post(url, {"text": "summer-1O", "uses": ""}))

    def test_many_are_made_and_can_be_stopped(self, client, marketer):
        offer = make_offer()
        url = reverse("loyalty:offer_codes", args=[offer.pk])
        answer = client.post(url, {"count": "20", "segment": "", "uses": "1"}, follow=True)
        assert "Waiting for a worker" in text(answer)

        engine.work_off(steps=codes.STEPS, seconds=60)
        assert "20 codes were made." in text(client.get(answer.redirect_chain[0][0]))
        assert Code.objects.filter(offer=offer, max_uses=1).count() == 20

        stopped = client.post(url, {"count": "20", "segment": "", "uses": "1"})
        client.post(stopped.url)
        assert Job.objects.order_by("-pk").first().state == Job.State.STOPPED

    def test_how_many_or_for_whom(self, client, marketer):
        segment = Segment.objects.create(scheme="rfm", slug="champions", name="Champions")
        url = reverse("loyalty:offer_codes", args=[make_offer().pk])

        for sent in ({"count": "", "segment": ""}, {"count": "5", "segment": segment.pk}):
            assert "Say how many, or choose a segment." in text(client.post(url, sent | {"uses": "1"}))

    def test_one_is_found_however_it_is_written(self, client, marketer):
        code = make_code()
        url = reverse("loyalty:offer_codes", args=[code.offer_id])

        assert code.shown in text(client.get(url, {"q": code.code.lower().replace("0", "o")}))
        assert "No such code here" in text(client.get(url, {"q": "nobody"}))

    def test_block_and_let_work(self, client, marketer):
        code = make_code()
        url = reverse("loyalty:code_block", args=[code.pk])
        blocked = []
        for sent in ({}, {"back": "1"}):
            client.post(url, sent)
            code.refresh_from_db()
            blocked.append(code.blocked_at is not None)

        assert blocked == [True, False]

    def test_the_export_is_for_those_who_may(self, client, marketer):
        offer = make_offer()
        code = make_code(offer, holder=factories.make_customer(external_id="c-7"))
        make_code(offer, text="SUMMER10", max_uses=None)
        url = reverse("loyalty:code_export", args=[offer.pk])
        assert client.get(url).status_code == 403

        sign_in(client, role="admin")
        lines = b"".join(client.get(url)).decode().splitlines()
        assert lines[1:] == [f"{code.shown},c-7,1,0,open", "SUMMER10,,,0,open"]


class TestUses:
    def test_they_are_shown_with_what_was_held_back(self, client, marketer):
        factories.make_product(sku="MUG", unit_cost=Decimal(95))
        use = redeem(make_code(make_offer(line_floor=Decimal(0))))
        page = text(client.get(use.offer.get_absolute_url()))

        assert use.code.shown in page
        assert "$5.00 held back" in page
        assert "Each item keeps a margin of 0% or more." in page


class TestPriceLists:
    def test_a_list_with_a_price_and_a_preview(self, client, manager):
        customer = factories.make_customer(name="Ada Lovelace", search="ada lovelace")
        factories.make_product(sku="MUG", name="Mug", unit_price=Decimal(20), unit_cost=Decimal(8))
        factories.make_order(customer=customer)
        told = {"name": "Old friends", "min_months": "1", "priority": "0", "floor": "0", "is_active": "on"}
        answer = client.post(reverse("loyalty:price_list_add"), told)
        row = PriceList.objects.get()
        assert answer.url == row.get_absolute_url()

        client.post(reverse("loyalty:price_set", args=[row.pk]), {"product": "MUG", "unit_price": "17.50"})
        assert "$17.50" in text(client.get(row.get_absolute_url()))

        page = text(client.get(reverse("loyalty:price_list_list"), {"customer": "ada"}))
        assert "Old friends" in page
        assert "$17.50" in page

    def test_editing_keeps_what_is_not_changed(self, client, manager):
        row = PriceList.objects.create(name="Old friends", min_months=1, floor=Decimal("0.125"))
        url = reverse("loyalty:price_list_edit", args=[row.pk])
        send(client, url, name="Dear friends")
        row.refresh_from_db()

        assert (row.name, row.floor, row.min_months, row.is_active) == ("Dear friends", Decimal("0.125"), 1, True)

    def test_a_list_is_for_somebody(self, client, manager):
        told = {"name": "Everybody", "priority": "0", "floor": "0"}

        assert "Say for whom" in text(client.post(reverse("loyalty:price_list_add"), told))
        assert not PriceList.objects.exists()

    @pytest.mark.parametrize(
        ("told", "said"),
        [
            ({"product": "MUG", "unit_price": "21"}, "The list price is 20. A price here has to be below it."),
            ({"unit_price": "5"}, "A fixed price is for one product."),
            ({"product": "NOBODY", "percent": "5"}, "There is no product with the SKU"),
            ({"product": "MUG"}, "Write a percentage or a price."),
            ({"product": "MUG", "percent": "5", "unit_price": "5"}, "Write a percentage or a price."),
        ],
    )
    def test_a_price_says_what_is_wrong(self, client, manager, told, said):
        row = PriceList.objects.create(name="Old friends", min_months=1)
        factories.make_product(sku="MUG", unit_price=Decimal(20))
        answer = client.post(reverse("loyalty:price_set", args=[row.pk]), told)

        assert answer.status_code == 422
        assert said in text(answer)
        assert not PriceItem.objects.exists()

    def test_marketers_read_them(self, client, marketer):
        row = PriceList.objects.create(name="Old friends", min_months=1)

        assert client.get(row.get_absolute_url()).status_code == 200
        assert client.post(reverse("loyalty:price_set", args=[row.pk]), {"percent": "5"}).status_code == 403
