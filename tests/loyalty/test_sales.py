"""A purchase at the till: the bill with a customer's prices, codes and points, used and undone as one."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.utils import timezone
from django.utils.translation import gettext, override

from core.models import Role, User
from customers.models import Customer, Product
from loyalty.models import Code, EarningRule, Offer, PriceItem, PriceList, Programme, Redemption, Use
from loyalty.selectors import sales as found
from loyalty.services import offers, order_points, rewards, sales
from loyalty.services.rewards import Wish
from loyalty.services.sales import UNDONE
from tests.factories import make_business, make_order, make_product
from tests.forms import FormReader
from tests.loyalty.offers import make_code, make_offer
from tests.loyalty.rewards import balance, make_member, make_programme, make_tier, stand
from tests.loyalty.shop import credit, line, order, totals

BASKET = {"sku": ["MUG-1", "Green tea"], "quantity": ["2", ""], "price": ["", "9,00"]}


@pytest.fixture
def till(client, db):
    """Mugs at 10.00 (8.00 for Gold), tea at 5.00; a point for each unit of money; 100 points are 1.00."""
    cache.clear()
    make_business(currency="EUR")
    make_programme(worth_cents=100)
    make_product(sku="MUG-1", name="Blue mug", unit_price="10.00")
    make_product(sku="T", name="Green tea", unit_price="5.00")
    begun = timezone.now() - timedelta(days=1)
    EarningRule.objects.create(name="All", points=1, per_cents=100, starts_at=begun)
    client.force_login(User.objects.create(email="agent@example.com", role=Role.AGENT))
    return client


@pytest.fixture
def ada(till):
    """Gold, with 500 points."""
    customer, gold = make_member(500, at=timezone.now(), name="Ada"), make_tier(1, name="Gold tier")
    prices = PriceList.objects.create(name="Gold prices", tier=gold, floor=None)
    mug = {"product_id": Product.objects.get(sku="MUG-1").pk, "unit_price": Decimal(8), "list_price": Decimal(10)}
    PriceItem.objects.create(price_list=prices, **mug)
    stand(customer, gold)
    return customer


@pytest.fixture
def ten():
    """TEN: 10 % off, for everybody, together with others."""
    return make_code(make_offer(is_listed=True, stacking="stackable"), text="TEN", max_uses=None)


def look(till, customer, **told):
    return till.get(f"/till/{customer.pk}/", BASKET | told)


def words(page):
    return " ".join(page.content.decode().split())


def press(till, customer, page, **changed):
    """The button that takes off what the bill says."""
    html = page.content.decode()
    reader = FormReader()
    reader.feed(html[html.rindex("<form", 0, html.index("/use/")) :])
    return till.post(f"/till/{customer.pk}/use/", reader.found | changed)


def test_a_bill(till, ada, ten):
    """Two mugs at Ada's price and a tea as typed are 25.00; TEN takes 2.50, 200 points take 2.00; 20 points come."""
    said = words(look(till, ada, code=["ten"], points="200"))
    for text in ("€8.00", "price of “Gold prices”", "public price €10.00", "price as typed", "−€2.50", "−€2.00"):
        assert text in said
    assert "<dt>To pay</dt> <dd> €20.50" in said
    assert "<dt>Earns</dt> <dd> 20 points" in said
    assert "Take €4.50 off" in said


def test_a_bill_earns_what_is_credited(till, ada, ten):
    """The order comes in with what was paid. Points pay their part of the shipping, and what they pay earns none."""
    bill = look(till, ada, code=["ten"], points="199", shipping="3").context["bill"]
    paid = found.paid_lines(bill, programme=Programme.objects.get())
    off = [before.net_cents - after.net_cents for before, after in zip(bill.lines, paid, strict=True)]
    assert (off, bill.earns) == ([160 + 112, 90 + 63], 20)
    now = timezone.now()
    rows = [
        line(Decimal(before.net_cents) / 100, sku=before.sku, discount_cents=cents)
        for before, cents in zip(bill.lines, off, strict=True)
    ]
    credit(order(ada, *rows, at=now), at=now)
    assert totals(ada) == (500, bill.earns)


def test_a_bill_that_points_pay_earns_nothing(till, ada):
    """Unless points are counted on the price before discounts."""
    paid = {"amount": "5", "points": "500"}
    assert "<dt>Earns</dt> <dd> 0 points" in words(till.get(f"/till/{ada.pk}/", paid))
    Programme.objects.update(earn_base="before")
    assert "<dt>Earns</dt> <dd> 5 points" in words(till.get(f"/till/{ada.pk}/", paid))


def test_the_wallet_has_the_best_first(till, ada, ten):
    make_code(make_offer(kind="amount", amount_cents=400), holder=ada)
    make_code(make_offer(kind="amount", amount_cents=900, minimum_cents=9_900), holder=ada)
    said = words(look(till, ada))
    places = [said.index(text) for text in ("saves €4.00", "saves €2.50", "baskets of €99.00 or more")]
    assert places == sorted(places)


def test_used_and_undone(till, ada, ten):
    """Codes and points at once, once however often it is pressed, and back within the minute."""
    page = look(till, ada, code=["ten"], points="200", receipt="R-1")
    done, again = (press(till, ada, page).url for _twice in range(2))
    assert again == done.partition("?")[0]
    said = words(till.get(done))
    assert "€4.50 off" in said
    assert "To pay: €20.50" in said
    edited = done.replace("total=", "total=9")
    assert [text in words(till.get(edited)) for text in ("€4.50 off", "To pay")] == [True, False]
    ten.offer.refresh_from_db()
    assert (ten.offer.used, ten.offer.spent_cents, balance(ada), Use.objects.get().lines) == (1, 250, 300, [160, 90])
    assert {Use.objects.get().reference, Redemption.objects.get().reference} == {"R-1"}

    undo = done.partition("?")[0] + "undo/"
    assert ["Undone" in words(till.post(undo, follow=True)) for _twice in range(2)] == [True, True]
    ten.offer.refresh_from_db()
    assert (ten.offer.used, ten.offer.spent_cents, balance(ada), Use.objects.get().state) == (0, 0, 500, "released")


def test_no_undo_after_a_minute(till, ada, ten):
    done = press(till, ada, look(till, ada, code=["ten"])).url.partition("?")[0]
    Use.objects.update(used_at=timezone.now() - timedelta(seconds=61))
    assert "The minute is over" in words(till.post(f"{done}undo/", follow=True))
    assert Use.objects.get().state == "used"


def spend(points):
    """Another till is faster."""
    wish = Wish(customer_id=Customer.objects.get(name="Ada").pk, points=points)
    rewards.redeem(wish=wish, key="other", at=timezone.now(), place=Redemption.Place.TILL)


@pytest.mark.parametrize(
    ("meanwhile", "said"),
    [
        (lambda: Offer.objects.update(state="ended"), "has changed meanwhile"),
        (lambda: Offer.objects.update(percent=20), "has changed meanwhile"),
        (lambda: Programme.objects.update(worth_cents=50), "has changed meanwhile"),
        (lambda: Programme.objects.update(worth_cents=5_000), "At most 46 can be redeemed on this bill."),
        (lambda: spend(350), "At most 150 can be redeemed on this bill."),
        (lambda: spend(500), "At most 0 can be redeemed on this bill."),
    ],
)
def test_what_changed_since_the_bill_was_shown_uses_nothing(till, ada, ten, meanwhile, said):
    page = look(till, ada, code=["ten"], points="200", shipping="0,50")
    meanwhile()
    before = balance(ada)
    answer = press(till, ada, page)
    assert "has changed meanwhile" in words(answer)
    assert words(answer).count(said) == 1
    assert 'value="MUG-1"' in words(answer)
    assert "<dd>€0.50</dd>" in words(answer)
    assert (answer.status_code, balance(ada), Use.objects.count()) == (409, before, 0)


def test_points_stay_when_a_code_is_gone(till, ada, ten, monkeypatch):
    """Somebody takes the last use between the bill and the lock: the points that were spent first come back."""
    page = look(till, ada, code=["ten"], points="200")
    redeem = offers.redeem

    def late(**told):
        Offer.objects.update(max_uses=1, used=1)
        return redeem(**told)

    monkeypatch.setattr(offers, "redeem", late)
    assert "used as often as it may be" in words(press(till, ada, page))
    assert (balance(ada), Redemption.objects.count()) == (500, 0)


def test_codes_together_and_alone(till, ada, ten):
    alone = make_code(make_offer(kind="amount", amount_cents=100, priority=9), text="ALONE")
    both = words(look(till, ada, code=["TEN", "ALONE"]))
    assert "This code cannot be used together with another one." in both
    Offer.objects.filter(pk=alone.offer_id).update(stacking="stackable")
    page = look(till, ada, code=["TEN", "ALONE"])
    assert "<dt>To pay</dt> <dd> €21.60" in words(page)
    press(till, ada, page)
    assert list(Use.objects.order_by("pk").values_list("discount_cents", flat=True)) == [100, 240]


def test_receipts_bring_points_and_codes_back(till, ada, ten):
    press(till, ada, look(till, ada, code=["ten"], points="200", receipt="R-1"))
    order = make_order(customer=ada, external_id="R-1", status="cancelled")
    assert order_points.follow(order_ids=[order.pk], at=timezone.now()) == 1
    assert balance(ada) == 500


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"quantity": ["-1"]}, "The quantity has to be more than zero."),
        ({"quantity": ["0"]}, "The quantity has to be more than zero."),
        ({"quantity": ["1000000000"]}, "At most 99,999 of one thing."),
        ({"quantity": ["two"]}, "“two” is not a number."),
        ({"sku": ["NONE"]}, "There is no product “NONE”. Give it a price to sell it all the same."),
        ({"sku": ["g"]}, "“g” may be Blue mug (MUG-1), Green tea (T). Write the SKU."),
        ({"sku": [""]}, "Say which product, or empty the row."),
        ({"price": ["-4"]}, "Write a number that is not below zero."),
        ({"quantity": ["99999"], "price": ["99999999"]}, "Line 1 comes to too much."),
    ],
)
def test_rows_that_cannot_be(till, ada, row, said):
    """Named at the row; what was written stands there still, and the other row too."""
    told = {"sku": ["MUG-1"], "quantity": ["3"], "price": [""]} | row
    page = till.get(
        f"/till/{ada.pk}/",
        {name: [*values, more] for (name, values), more in zip(told.items(), ("T", "7", ""), strict=True)},
    )
    html = words(page)
    first, second = html.split('class="till-row')[1:3]
    assert said in first
    assert "errorlist" not in second
    assert 'value="T"' in second
    assert all(f'value="{values[0]}"' in first for values in told.values() if values[0])
    assert "The bill" not in html


def test_codes_in_plain_words(till, ada):
    over = make_code(make_offer(ends_at=timezone.now() - timedelta(days=1)), text="SUMMER")
    assert "This code expired on" in words(look(till, ada, code=[over.code]))
    own = make_code(holder=ada)
    looks = own.shown.lower().replace("0", "o").replace("1", "l")
    assert "−€2.50" in words(look(till, ada, code=[looks]))
    theirs = make_code(holder=make_member(0))
    assert "belongs to another customer" in words(look(till, ada, code=[theirs.code]))


def test_guessing_has_an_end(till, ada, ten):
    for number in range(10):
        assert "Nobody knows this code" in words(look(till, ada, code=[f"GUESS{number}"]))
    assert "Too many codes were wrong" in words(look(till, ada, code=["TEN"]))
    assert "−€1.00" in words(till.get(f"/till/{make_member(0).pk}/", {"amount": "10", "code": "TEN"}))


def test_one_typo_is_one_guess(till, ada, ten):
    for text in ["GUESS-1", "guess1", "GUE SS1"] * 4:
        assert "Nobody knows this code" in words(look(till, ada, code=[text]))
    assert "−€2.50" in words(look(till, ada, code=["TEN", "GUESS1"]))


def test_a_price_is_for_what_was_written(till, ada):
    """“tea” is the green tea only as long as it has no price of its own."""
    assert [
        look(till, ada, sku=["T", text], price=["", price]).context["sale"].items[1].sku
        for text, price in (("tea", ""), ("tea", "15"), ("green TEA", "15"), ("t", "15"))
    ] == ["T", "tea", "T", "T"]


def test_figures_as_the_language_writes_them(till, ada):
    with override("de"):
        page = till.get(f"/till/{ada.pk}/", BASKET | {"quantity": ["100000", "1"]}, headers={"accept-language": "de"})
    assert "99.999" in words(page)


def test_undoing_while_somebody_holds_the_account(till, ada, ten, monkeypatch):
    done = press(till, ada, look(till, ada, code=["ten"], points="200")).url.partition("?")[0]
    own = Redemption.objects.get().pk

    def locked(**_told):
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(rewards, "cancel", locked)
    for undo in (f"{done}undo/", f"/till/done/{own}/undo/"):
        assert "Somebody else is changing the same thing" in words(till.post(undo, follow=True))
    assert (balance(ada), Use.objects.get().state) == (300, "used")


def test_the_reason_is_kept_in_english(till, ada):
    """Whoever presses the button, and whoever reads it later in another language."""
    done = press(till, ada, look(till, ada, points="200")).url.partition("?")[0]
    with override("de"):
        sales.undo(token=done.split("/")[3], at=timezone.now(), by=User.objects.get().pk)
    assert Redemption.objects.get().note == UNDONE == "Undone at the till"
    User.objects.update(language="de")
    with override("de"):
        in_german = gettext(UNDONE)
    assert in_german != UNDONE
    assert f"<dd>{in_german}</dd>" in words(till.get(f"/loyalty/redemptions/{Redemption.objects.get().pk}/"))


def test_more_points_than_the_bill(till, ada):
    said = words(till.get(f"/till/{ada.pk}/", {"amount": "3", "points": "400"}))
    assert "At most 300 can be redeemed on this bill." in said
    assert "Take €" not in said


def test_a_programme_that_is_off(till, ada, ten):
    """Prices and codes work; points are neither promised nor spent."""
    Programme.objects.update(opened_at=None)
    page = look(till, ada, code=["ten"], points="200")
    assert "The programme is switched off" in words(page)
    assert "Rewards within reach" not in words(page)
    assert press(till, ada, page).url.startswith("/till/sales/")
    answer = till.post(f"/till/{ada.pk}/redeem/", {"points": "100", "token": "a" * 32}, follow=True)
    assert "points cannot be redeemed now" in words(answer)
    assert (balance(ada), Use.objects.count(), Code.objects.get().used) == (500, 1, 1)


def test_forms_that_are_not_ours(till, ada):
    asked = ({}, {"token": "x"}, {"token": "a" * 32}, {"token": "a" * 32, "amount": "5"})
    assert [till.post(f"/till/{ada.pk}/use/", told).status_code for told in asked] == [404, 404, 409, 409]
    assert till.get(f"/till/sales/{'a' * 32}/").status_code == 404
