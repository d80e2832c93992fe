"""The till: find, look, quote, redeem with one confirmation, undo within a minute, hand over what is shown."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.formats import date_format

from core.models import Business, Role, User
from customers.models import Email, Phone
from customers.services import search
from loyalty import codes
from loyalty.models import Programme, Redemption
from loyalty.services import order_points
from tests.factories import make_business, make_order, make_product
from tests.forms import inputs
from tests.loyalty.offers import make_code, make_offer
from tests.loyalty.rewards import (
    balance,
    left,
    make_member,
    make_programme,
    make_reward,
    make_tier,
    redeem,
    stand,
    state,
)


@pytest.fixture
def till(client, db):
    make_business(currency="EUR")
    make_programme(worth_cents=100, points_name="beans")
    client.force_login(User.objects.create(email="agent@example.com", role=Role.AGENT))
    return client


def member(balance=500, **fields):
    return make_member(balance, at=timezone.now(), **fields)


def found(customer, *, email="", phone=""):
    """The customer, with contacts, as the search knows her."""
    if email:
        Email.objects.create(customer=customer, address=email)
    if phone:
        Phone.objects.create(customer=customer, number=phone)
    search.refresh(customer_ids=[customer.pk])
    return customer


def confirm(till, customer, **wish):
    """Ask for it, then press the button of the page that asks once more."""
    page = till.get(f"/till/{customer.pk}/redeem/", wish)
    return till.post(f"/till/{customer.pk}/redeem/", inputs(page))


@pytest.mark.parametrize("text", ["lodz", "ANNA", "anna@example", "600700", "c-77"])
def test_a_single_customer_opens_at_once(till, text):
    customer = found(member(name="Anna Łódź", external_id="c-77"), email="anna@example.com", phone="+48600700800")
    found(member(name="Somebody else"))

    answer = till.get("/till/", {"q": text})

    assert answer.url == f"/till/{customer.pk}/"


def test_what_expires_is_shown_with_its_last_day(till):
    """As on the customer's own page: what ends at midnight can be spent on the day before."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=40)
    page = till.get(f"/till/{member(expires_at=midnight).pk}/").content.decode()
    assert date_format(midnight - timedelta(days=1), "DATE_FORMAT") in page
    assert date_format(midnight, "DATE_FORMAT") not in page


def test_several_are_listed_and_nobody_is_said(till):
    for name in ("Ada One", "Ada Two"):
        found(member(name=name))

    page = till.get("/till/", {"q": "ada"}).content.decode()
    assert "Ada One" in page
    assert "Ada Two" in page
    assert "Nothing found for “bob”" in till.get("/till/", {"q": "bob"}).content.decode()
    assert till.get("/till/").status_code == till.get("/till/", {"q": "\0 "}).status_code == 200


def test_the_card(till):
    now = timezone.now()
    customer = member(1_234, name="Ada", expires_at=now + timedelta(days=40))
    stand(customer, make_tier(1, name="Gold tier"))

    page = till.get(f"/till/{customer.pk}/").content.decode()

    for words in ("Ada", "Gold tier", "1,234 <small>beans</small>", "Next to expire"):
        assert words in page


def test_points_off_the_bill(till):
    customer = member(500)
    asking = till.get(f"/till/{customer.pk}/redeem/", {"points": "200"}).content.decode()
    assert "€2.00 off for 200 beans?" in asking
    assert "Left then: 300 beans" in asking

    answer = confirm(till, customer, points="200")

    one = Redemption.objects.get()
    assert answer.url == f"/till/done/{one.pk}/"
    assert (one.points, one.money_off_cents, one.state, one.made_by.role) == (200, 200, "handed_over", "agent")
    shown = till.get(answer.url).content.decode()
    assert "€2.00 off" in shown
    assert "Balance now: 300" in shown
    assert balance(customer) == 300


def test_a_reward(till):
    customer, mug = member(500), make_reward(name="Blue mug", stock=2)
    assert "Redeem for 100" in " ".join(till.get(f"/till/{customer.pk}/").content.decode().split())

    confirm(till, customer, reward=mug.pk)

    assert (balance(customer), left(mug), Redemption.objects.get().state) == (400, 1, "handed_over")


def test_pressing_twice_redeems_once(till):
    """Going back to name another receipt is not another redemption, either."""
    customer = member(500)
    page = till.get(f"/till/{customer.pk}/redeem/", {"points": "100"})
    told = inputs(page)

    answers = [till.post(f"/till/{customer.pk}/redeem/", told) for _again in range(2)]

    assert answers[0].url == answers[1].url
    assert (balance(customer), Redemption.objects.count()) == (400, 1)
    other = till.post(f"/till/{customer.pk}/redeem/", told | {"receipt": "R-2"}, follow=True)
    assert "This form was sent before." in other.content.decode()
    assert balance(customer) == 400


def test_a_receipt_brings_the_points_back(till):
    """The one of the purchase stands in the link of a reward; with the order that it names the points come back."""
    customer, off = member(500), make_reward(kind="money", money_off_cents=300)
    page = till.get(f"/till/{customer.pk}/", {"amount": "9", "receipt": "R 1&2"}).content.decode()
    assert f"?reward={off.pk}&amp;receipt=R%201%262" in page

    asking = till.get(f"/till/{customer.pk}/redeem/", {"reward": off.pk, "receipt": "R-1"})
    assert "When that order comes back, so do the beans." in " ".join(asking.content.decode().split())
    till.post(f"/till/{customer.pk}/redeem/", inputs(asking))

    assert (balance(customer), Redemption.objects.get().reference) == (400, "R-1")
    order = make_order(customer=customer, external_id="R-1", status="cancelled")
    order_points.follow(order_ids=[order.pk], at=timezone.now())
    assert balance(customer) == 500


def test_the_page_again_is_another_redemption(till):
    customer = member(500)
    for _again in range(2):
        confirm(till, customer, points="100")
    assert balance(customer) == 300


def test_not_enough(till):
    customer = member(50)

    assert "not enough beans" in till.get(f"/till/{customer.pk}/redeem/", {"points": "100"}).content.decode()
    answer = till.post(f"/till/{customer.pk}/redeem/", {"points": "100", "token": "a" * 32}, follow=True)

    assert "There are 50 beans to spend: not enough." in answer.content.decode()
    assert (balance(customer), Redemption.objects.count()) == (50, 0)


def test_out_of_stock_is_said(till):
    customer, mug = member(500), make_reward(name="Blue mug", stock=0)
    answer = till.post(f"/till/{customer.pk}/redeem/", {"reward": mug.pk, "token": "a" * 32}, follow=True)
    assert "“Blue mug” is out of stock." in answer.content.decode()
    assert balance(customer) == 500


@pytest.mark.parametrize(
    "told",
    [
        {"points": "100"},
        {"points": "100", "token": "x"},
        {"token": "a" * 32},
        {"points": "-5", "token": "a" * 32},
        {"points": "5", "reward": "1", "token": "a" * 32},
        {"reward": str(2**70), "token": "a" * 32},
    ],
)
def test_forms_that_are_not_ours(till, told):
    customer = member(500)
    assert till.post(f"/till/{customer.pk}/redeem/", told).status_code == 200
    assert balance(customer) == 500


def test_undo_within_a_minute(till):
    customer, mug = member(500), make_reward(stock=1)
    done = confirm(till, customer, reward=mug.pk).url
    assert "Undo" in till.get(done).content.decode()

    for _twice in range(2):
        answer = till.post(f"{done}undo/", follow=True)

    assert "Undone: the beans are back." in answer.content.decode()
    assert (balance(customer), left(mug)) == (500, 1)


def test_no_undo_after_a_minute(till):
    customer = member(500)
    done = confirm(till, customer, points="100").url
    earlier = timezone.now() - timedelta(seconds=61)
    Redemption.objects.update(made_at=earlier, handled_at=earlier)

    assert "Undo" not in till.get(done).content.decode()
    assert "The minute is over" in till.post(f"{done}undo/", follow=True).content.decode()
    assert balance(customer) == 400


def test_a_code_on_a_phone(till):
    """Scanned: the page says what it is for; one press hands it over; scanned again it says so."""
    customer, mug = member(500), make_reward(name="Blue mug")
    one = redeem(customer, mug, at=timezone.now())

    opened = till.get("/till/", {"q": codes.shown(one.code).lower().replace("0", "o")})
    assert opened.url == f"/till/show/{one.pk}/"
    assert "Blue mug" in till.get(opened.url).content.decode()
    assert till.post(opened.url).url == f"/till/done/{one.pk}/"
    assert (state(one), balance(customer)) == ("handed_over", 400)

    again = till.get(opened.url).content.decode()
    assert "It was handed over on" in again
    assert "Hand over</button>" not in again
    assert till.post(opened.url).url == f"/till/show/{one.pk}/"


def test_undoing_a_code_lets_it_wait_again(till):
    one = redeem(member(500), make_reward(), at=timezone.now() - timedelta(days=1))
    done = till.post(f"/till/show/{one.pk}/").url

    answer = till.post(f"{done}undo/", follow=True)

    assert "it waits to be handed over again" in answer.content.decode()
    assert (state(one), balance(one.customer)) == ("committed", 400)


def test_a_viewer_has_no_till(client, db):
    make_business()
    client.force_login(User.objects.create(email="v@example.com", role=Role.VIEWER))
    customer = member(500)
    assert client.get("/till/").status_code == 403
    assert client.post(f"/till/{customer.pk}/redeem/", {"points": "5", "token": "a" * 32}).status_code == 403


def test_the_navigation_follows_the_programme(till):
    assert 'href="/till/"' in till.get("/till/").content.decode()
    Programme.objects.update(opened_at=None)
    assert not Business.objects.get().has_loyalty
    assert 'href="/till/"><svg' not in till.get("/").content.decode()


def test_a_currency_without_decimals(till):
    make_business(currency="JPY")
    customer = member(500)
    assert "¥200 off for 200 beans?" in till.get(f"/till/{customer.pk}/redeem/", {"points": "200"}).content.decode()


def test_queries(till, django_assert_max_num_queries):
    for _more in range(3):
        make_reward()
    customer = member()
    make_code(make_offer(is_listed=True), text="TEN", max_uses=None)
    make_product(sku="MUG-1", unit_price="4.50")
    with django_assert_max_num_queries(45):
        till.get(f"/till/{customer.pk}/", {"sku": ["MUG-1"] * 9, "quantity": [""] * 9, "price": [""] * 9})


def test_rows_by_name_are_looked_up_together(till):
    """However many: one query says for each of them what it may be."""
    customer = member()
    for sku, name in (("MUG-1", "Blue mug"), ("MUG-2", "Red mug"), ("TEA", "Green tea")):
        make_product(sku=sku, name=name, unit_price="4.50")
    rows = [("blue", ""), ("tea", ""), ("mug", ""), ("red mug", "3"), ("mug", "3"), ("nothing", "")]
    counts = []
    for several in (rows, rows * 3):
        asked = {name: [row[place] for row in several] for place, name in enumerate(("sku", "price"))}
        with CaptureQueriesContext(connection) as queries:
            page = till.get(f"/till/{customer.pk}/", asked | {"quantity": [""] * len(several)})
        counts.append(len(queries))
    assert counts[0] == counts[1]
    sale = page.context["sale"]
    assert [row.found and row.found.sku for row in sale.rows[:6]] == ["MUG-1", "TEA", None, "MUG-2", None, None]
    said = ["", "", "“mug” may be Blue mug (MUG-1), Red mug (MUG-2).", "", "", "There is no product “nothing”."]
    assert [text in str(row.errors) for row, text in zip(sale.rows, said, strict=False)] == [True] * 6
    assert [bool(row.errors) for row in sale.rows[:6]] == [False, False, True, False, False, True]
