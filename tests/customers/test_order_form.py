"""Orders and refunds by hand, through the pages: totals of the customer, of the day and the margin follow."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from analytics.models import DayTotals
from analytics.services import totals
from core.models import Role
from customers.importing.rows import OrderRow
from customers.models import Order, OrderLine, Product, Refund
from customers.services import imports
from tests.customers import ledger
from tests.customers.conftest import sign_in
from tests.factories import make_business, make_customer, make_product
from tests.forms import inputs, send

pytestmark = pytest.mark.django_db
DAY = "2026-03-10"


def url(name, record):
    return reverse(f"customers:{name}", args=[record.pk])


def lines(*rows, start=0):
    """(sku, quantity, price[, discount]) of each line as the form's inputs."""
    names = ("sku", "quantity", "unit_price", "discount")
    return {
        f"lines-{number}-{name}": text
        for number, row in enumerate(rows, start=start)
        for name, text in zip(names, row, strict=False)
    }


def add(browser, customer, *rows, **told):
    for row in rows:
        Product.objects.get_or_create(sku=row[0])
    return send(browser, url("order_add", customer), placed_on=DAY, **told, **lines(*rows))


def day(on=DAY):
    """(orders, value, refunds, margin) of a business date, added up as the night does."""
    totals.refresh()
    found = DayTotals.objects.filter(day=on).values_list("orders", "value_cents", "refunds_cents", "margin_cents")
    return found.first()


def seen(browser, customer):
    """What the customer's page says was spent in all, by its rows."""
    return Order.objects.filter(customer=customer, status="paid").count(), ledger.net()


@pytest.mark.django_db(transaction=True)  # the feed shows what is committed
def test_added_120_refunded_one_of_two_lines_corrected_cancelled(agent):
    """12 mugs at 5.00 and 6 plates at 10.00; a cost is known of the mugs only (2.00), the rest earns 40 %."""
    customer = make_customer(name="Ada")
    make_product(sku="mug", unit_cost=Decimal(2))
    response = add(agent, customer, ("mug", "12", "5,00"), ("plate", "6", "10.00"), number="A1", tax="22.80")
    order = Order.objects.get()
    assert response.url == f"/orders/{order.pk}/"
    assert (order.net_cents, order.margin_cents, order.tax_cents) == (12000, 3600 + 2400, 2280)
    assert day() == (1, 12000, 0, 6000)

    mug, _plate = order.lines.order_by("position")
    form = agent.get(url("order_refund", order))
    back = {"refunded_on": "2026-03-12", f"quantity_{mug.pk}": "12"}
    assert agent.post(url("order_refund", order), inputs(form, **back)).status_code == 302
    refund = Refund.objects.get()
    assert (refund.net_cents, refund.margin_cents) == (6000, 3600)
    assert day("2026-03-12")[1:] == (-6000, 6000, -3600)
    assert ledger.net() == 6000

    response = send(agent, url("order_edit", order), **{"lines-1-quantity": "4"})
    assert response.status_code == 302, response.content.decode()
    order.refresh_from_db()
    assert (order.net_cents, order.margin_cents) == (10000, 3600 + 1600)
    assert day() == (1, 10000, 0, 5200)
    assert ledger.net() == 4000
    ledger.check()
    page = agent.get(url("order_detail", order)).content.decode()
    assert "€16.00" in page  # the margin that is left: that of the plates

    assert agent.post(url("order_cancel", order)).status_code == 302
    order.refresh_from_db()
    assert order.status == "cancelled"
    assert day() is None
    assert day("2026-03-12") is None
    page = agent.get(f"/customers/{customer.pk}/").content.decode()
    assert "Cancelled" in page


def test_both_ways_to_write_an_amount(agent):
    customer = make_customer()
    add(agent, customer, ("a", "1", "1.234,56"), ("b", "2", "1,234.56", "0,5"), number="A1")
    assert list(OrderLine.objects.order_by("position").values_list("net_cents", flat=True)) == [123456, 246862]


@pytest.mark.parametrize(
    ("price", "words"),
    [
        ("1,234", "can be read in two ways"),
        ("1.234", "can be read in two ways"),
        ("twelve", "is not an amount in EUR"),
        ("$ 5", "is not an amount in EUR"),
        ("1.23456", "At most 4 decimals"),
    ],
)
def test_what_cannot_be_read_stays_and_is_told(agent, price, words):
    customer = make_customer()
    response = add(agent, customer, ("a", "1", price), number="A1", channel="phone")
    assert words in response.content.decode()
    again = inputs(response)
    assert (again["lines-0-unit_price"], again["lines-0-sku"], again["channel"]) == ([price], ["a"], ["phone"])
    assert not Order.objects.exists()


def test_a_german_browser_shows_and_reads_a_comma(agent):
    customer = make_customer()
    add(agent, customer, ("a", "1", "12.50"), number="A1")
    order = Order.objects.get()
    with translation.override("de"):
        agent.cookies["django_language"] = "de"
    form = inputs(agent.get(url("order_edit", order), headers={"accept-language": "de"}))
    assert form["lines-0-unit_price"] == ["12,50"]
    assert agent.post(url("order_edit", order), form, headers={"accept-language": "de"}).status_code == 302
    assert Order.objects.get().net_cents == 1250


def test_an_empty_price_is_the_list_price(agent):
    customer = make_customer()
    make_product(sku="a", unit_price=Decimal("7.5"))
    add(agent, customer, ("a", "2", ""), number="A1")
    assert Order.objects.get().net_cents == 1500
    response = add(agent, customer, ("b", "2", ""), number="A2")
    assert "The product has no list price" in response.content.decode()


def test_mistakes_in_lines_are_told(agent):
    customer = make_customer()
    page = url("order_add", customer)
    assert "An order has at least one line." in send(agent, page, placed_on=DAY).content.decode()
    response = send(agent, page, placed_on=DAY, **lines(("nothing", "1", "5")))
    assert "There is no product with this SKU" in response.content.decode()
    make_product(sku="a")
    assert "How many?" in send(agent, page, placed_on=DAY, **lines(("a", "", "5"))).content.decode()
    assert not Order.objects.exists()


def test_the_same_form_sent_twice_is_one_order(agent):
    customer = make_customer()
    make_product(sku="a")
    told = inputs(agent.get(url("order_add", customer)), placed_on=DAY, **lines(("a", "1", "5.00")))
    first, second = (agent.post(url("order_add", customer), told) for _ in range(2))
    assert first.url == second.url
    assert Order.objects.count() == 1


def test_a_number_that_is_taken_is_refused(agent):
    customer = make_customer()
    add(agent, customer, ("a", "1", "5.00"), number="A1")
    response = add(agent, customer, ("a", "1", "6.00"), number="A1")
    assert "Another order has this number." in response.content.decode()
    assert Order.objects.get().net_cents == 500


def test_more_lines_and_totals_without_javascript(agent):
    customer = make_customer()
    make_product(sku="a")
    told = inputs(agent.get(url("order_add", customer)), placed_on=DAY, tax="1", **lines(("a", "3", "5.00", "2")))
    more = agent.post(url("order_add", customer), told | {"more": "1"})
    assert len([name for name in inputs(more) if name.endswith("-sku")]) == 5
    assert inputs(more)["lines-0-sku"] == ["a"]
    shown = agent.post(url("order_add", customer), told | {"preview": "1"}).content.decode()
    assert "€13.00" in shown
    assert "€14.00" in shown
    part = agent.post(url("order_add", customer), told | {"preview": "1"}, headers={"hx-request": "true"})
    assert "<html" not in part.content.decode()
    assert not Order.objects.exists()


def test_lines_that_were_not_touched_keep_what_the_source_said(agent):
    """The source gave an amount without a price: 9.99 for three."""
    make_product(sku="b")
    row = OrderRow(
        line=2, customer="ada", at=timezone.now(), day=date(2026, 3, 10), sku="a", net_cents=999, document="7",
        quantity=Decimal(3), shipping_cents=490,
    )  # fmt: skip
    imports.load(rows=[row], source="shop", at=timezone.now())
    order = Order.objects.get()
    response = send(agent, url("order_edit", order), **lines(("b", "1", "2.00"), start=1))
    assert response.status_code == 302, response.content.decode()
    order.refresh_from_db()
    assert (order.net_cents, order.shipping_cents) == (1199, 490)
    assert list(order.lines.order_by("position").values_list("net_cents", flat=True)) == [999, 200]


def test_a_removed_line_goes(agent):
    customer = make_customer()
    add(agent, customer, ("a", "1", "5.00"), ("b", "1", "7.00"), number="A1")
    order = Order.objects.get()
    send(agent, url("order_edit", order), **{"lines-0-DELETE": "on"})
    order.refresh_from_db()
    assert (order.net_cents, order.lines.get().position) == (700, 2)
    send(agent, url("order_edit", order), **lines(("a", "1", "1.00"), start=1))
    assert list(order.lines.order_by("position").values_list("position", "net_cents")) == [(2, 700), (3, 100)]


def test_what_came_back_stays_bought(agent):
    customer = make_customer()
    add(agent, customer, ("a", "3", "5.00"), ("b", "1", "7.00"), number="A1")
    order = Order.objects.get()
    line = order.lines.get(position=1)
    send(agent, url("order_refund", order), refunded_on="2026-03-12", **{f"quantity_{line.pk}": "2"})
    for change, words in (
        ({"lines-0-quantity": "1"}, "2 of a came back already"),
        ({"lines-0-DELETE": "on"}, "2 of a came back already"),
        ({"lines-0-unit_price": "1"}, "More was paid back for a than the line would come to"),
        ({"placed_on": "2026-03-13"}, "came back before this date"),
    ):
        response = send(agent, url("order_edit", order), **change)
        assert words in response.content.decode(), change
    assert ledger.net() == 1200
    ledger.check()


def test_refunds_say_what_is_left_and_refuse_more(agent):
    customer = make_customer()
    add(agent, customer, ("a", "3", "5.00"), number="A1")
    order, line = Order.objects.get(), OrderLine.objects.get()
    page = url("order_refund", order)
    preview = agent.post(page, inputs(agent.get(page), preview="1", **{f"quantity_{line.pk}": "1"}))
    assert "€5.00" in preview.content.decode()
    send(agent, page, refunded_on="2026-03-12", **{f"quantity_{line.pk}": "1", f"amount_{line.pk}": "4"})
    assert "2 of 3 left, €11.00" in " ".join(agent.get(page).content.decode().split())
    for told, words in (
        ({f"quantity_{line.pk}": "3"}, "More would come back than was bought or paid"),
        ({f"amount_{line.pk}": "11.01"}, "More would come back than was bought or paid"),
        ({}, "Say what came back"),
        ({f"quantity_{line.pk}": "1", "refunded_on": "2026-03-09"}, "The order was placed later than that"),
        ({f"quantity_{line.pk}": "1", "refunded_on": "2999-03-09"}, "That day is still to come"),
    ):
        response = send(agent, page, **told)
        assert words in response.content.decode(), told
    assert ledger.net() == 1100
    send(agent, page, refunded_on="2026-03-12", **{f"amount_{line.pk}": "1"})  # a price reduction
    assert (ledger.net(), OrderLine.objects.get().refunded_quantity) == (1000, 1)


def test_a_refund_sent_twice_is_one(agent):
    customer = make_customer()
    add(agent, customer, ("a", "3", "5.00"), number="A1")
    order, line = Order.objects.get(), OrderLine.objects.get()
    told = inputs(agent.get(url("order_refund", order)), refunded_on="2026-03-12", **{f"quantity_{line.pk}": "1"})
    for _ in range(2):
        agent.post(url("order_refund", order), told)
    assert Refund.objects.count() == 1


def test_two_people_correct_one_order(agent):
    customer = make_customer()
    add(agent, customer, ("a", "3", "5.00"), number="A1")
    order = Order.objects.get()
    told = inputs(agent.get(url("order_edit", order)), channel="phone", **{"lines-0-quantity": "2"})
    mara = sign_in(Client(), Role.MANAGER, "Mara")
    send(mara, url("order_edit", order), **{"lines-0-quantity": "4"})
    response = agent.post(url("order_edit", order), told)
    text = " ".join(response.content.decode().split())
    assert "Theirs: 4 a 5.00" in text
    assert "Yours: 2 a 5.00" in text
    assert Order.objects.get().net_cents == 2000
    settled = agent.post(url("order_edit", order), inputs(response, **{"keep-lines": "theirs"}))
    assert settled.status_code == 302
    order.refresh_from_db()
    assert (order.net_cents, order.channel) == (2000, "phone")


def test_only_they_changed_the_lines_and_theirs_stand(agent):
    customer = make_customer()
    add(agent, customer, ("a", "3", "5.00"), number="A1")
    order = Order.objects.get()
    told = inputs(agent.get(url("order_edit", order)), channel="phone")
    send(sign_in(Client(), Role.MANAGER, "Mara"), url("order_edit", order), **{"lines-0-quantity": "4"})
    assert agent.post(url("order_edit", order), told).status_code == 302
    order.refresh_from_db()
    assert (order.net_cents, order.channel) == (2000, "phone")


@pytest.mark.django_db(transaction=True)
def test_refunds_at_the_same_time_pay_back_no_more_than_was_paid():
    """Five people refund two of three at once: one gets through, the others are told."""
    make_business(currency="EUR", time_zone="Europe/Berlin")
    agent = sign_in(Client(), Role.AGENT, "Ada")
    add(agent, make_customer(), ("a", "3", "5.00"), number="A1")
    order, line = Order.objects.get(), OrderLine.objects.get()
    page = url("order_refund", order)
    told = [inputs(agent.get(page), refunded_on="2026-03-12", **{f"quantity_{line.pk}": "2"}) for _ in range(5)]

    def refund(data):
        browser = Client()
        browser.cookies = agent.cookies
        try:
            return browser.post(page, data).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as pool:
        codes = sorted(pool.map(refund, told))
    assert codes == [200, 200, 200, 200, 302]
    line.refresh_from_db()
    assert (Refund.objects.count(), line.refunded_cents, ledger.net()) == (1, 1000, 500)


def test_viewer_reads_and_gets_403_for_the_rest(agent, client):
    customer = make_customer()
    add(agent, customer, ("a", "3", "5.00"), number="A1")
    order = Order.objects.get()
    vera = sign_in(Client(), Role.VIEWER, "Vera")
    page = vera.get(url("order_detail", order))
    assert page.status_code == 200
    assert url("order_edit", order) not in page.content.decode()
    for name in ("order_edit", "order_refund"):
        assert vera.get(url(name, order)).status_code == 403
    assert vera.post(url("order_cancel", order)).status_code == 403
    assert vera.get(url("order_add", customer)).status_code == 403


def test_queries(agent, django_assert_num_queries):
    customer = make_customer()
    add(agent, customer, ("a", "3", "5.00"), ("b", "3", "5.00"), ("c", "3", "5.00"), number="A1")
    order = Order.objects.get()
    with django_assert_num_queries(6):  # order, lines, refunds; the rest is every page's
        agent.get(url("order_detail", order))
    with django_assert_num_queries(8):  # order, lines, customer, a savepoint
        agent.get(url("order_edit", order))
    with django_assert_num_queries(6):
        agent.get(url("order_refund", order))
