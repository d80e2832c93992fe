"""Orders one by one, many at once and from a file: the same rows in the end, also when several writers meet."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from core import business
from core.models import Change
from customers import pricing
from customers.models import Category, Customer, Email, Order, OrderLine, Phone, Product
from customers.places import Place
from customers.services import imports, order_rows, orders, refunds
from customers.services.buyers import Buyer
from customers.services.orders import Line, Placed, RefundedLine
from customers.services.refunds import Back
from tests.customers import ledger
from tests.customers.rows import AT, OrderRow

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
ANN = Buyer(source="shop", external_id="ann", name="Ann", email="ann@example.com", phone="+491701234567")
MUG = Line(sku="mug", quantity=Decimal(2), unit_price=Decimal("9.95"), name="Mug", category="China")
PLATE = Line(sku="plate", quantity=Decimal(1), unit_price=Decimal(4), unit_cost=Decimal(1))


def placed(external_id="1", *lines, **facts):
    return Placed(
        **{"source": "shop", "buyer": ANN, "placed_at": NOON, "external_id": external_id} | facts,
        lines=lines or (MUG, PLATE),
    )


def one(order):
    return orders.record_one(placed=order, business=business.current())


def many(*several, **options):
    return orders.record_many(orders=several, business=business.current(), **options)


def outcomes(found):
    return [getattr(outcome, "outcome", "refused") for outcome in found]


def rows_of(several, *, exponent=2):
    """The same orders as rows of a file, one after the other."""
    line_number = 1
    for order in several:
        for line in order.lines:
            line_number += 1
            yield OrderRow(
                line=line_number,
                customer=order.buyer.external_id if order.buyer else "",
                at=order.placed_at,
                day=order.placed_at.date(),
                sku=line.sku,
                net_cents=pricing.line_net(
                    quantity=line.quantity,
                    unit_price=line.unit_price,
                    discount_cents=line.discount_cents,
                    exponent=exponent,
                ),
                document=order.external_id,
                quantity=line.quantity,
                unit_price=line.unit_price,
                discount_cents=line.discount_cents,
                tax_cents=order.tax_cents,
                shipping_cents=order.shipping_cents,
                unit_cost=line.unit_cost,
                product=line.name or line.sku,
                category=line.category,
                status=order.status,
                channel=order.channel,
                name=order.buyer.name if order.buyer else "",
                email=order.buyer.email if order.buyer else "",
                phone=order.buyer.phone if order.buyer else "",
            )


def random_orders(chance, *, count):
    """Orders in the order of their times, so that the first word about a customer is the same on every way."""
    return [
        Placed(
            source="shop",
            external_id=f"o{number}",
            buyer=random_buyer(chance),
            placed_at=NOON + timedelta(minutes=number),
            lines=[random_line(chance) for _ in range(chance.randint(1, 4))],
            status=chance.choice(["paid", "paid", "pending", "cancelled"]),
            channel="web",
            tax_cents=chance.choice([0, 0, 1, 199]),
            shipping_cents=chance.choice([0, 490]),
        )
        for number in range(count)
    ]


def random_buyer(chance):
    number = chance.randrange(6)
    if number == 0:
        return None
    extra = {"email": f"p{number}@example.com", "phone": f"+4917012345{number}0"} if chance.random() < 0.5 else {}
    return Buyer(source="shop", external_id=f"c{number}", name=f"Person {number}", **extra)


def random_line(chance):
    number = chance.randrange(8)
    return Line(
        sku=f"sku{number}",
        name=f"Thing {number}",
        category=f"Shelf {number % 3}" if number % 2 else "",
        quantity=Decimal(chance.choice(["1", "2", "0.125", "3.5", "12"])),
        unit_price=Decimal(chance.randrange(1, 50_000)) / 1000,
        discount_cents=chance.choice([0, 0, 1]) if number else 0,
        unit_cost=chance.choice([None, Decimal("0.3333")]),
    )


def everything():
    extra = {
        "emails": ledger.rows(Email, "customer__name", "address"),
        "phones": ledger.rows(Phone, "customer__name", "number"),
        "categories": ledger.rows(Product, "sku", "category__name"),
        "channels": ledger.rows(Customer, "name", "channel"),
        "contents": ledger.rows(Order, "external_id", "content", "tax_cents", "shipping_cents", "channel"),
        "told": sorted(set(Change.objects.filter(kind="day").values_list("object_id", flat=True))),
    }
    return ledger.facts() | extra


def after(write):
    """What the tables hold after `write`, which is then taken back."""
    with transaction.atomic():
        write()
        ledger.check()
        found = everything()
        transaction.set_rollback(True)
    return found


@pytest.mark.django_db
class TestThreeWays:
    @pytest.mark.parametrize("seed", range(6))
    def test_one_by_one_many_at_once_and_a_file_leave_the_same_rows(self, seed):
        settings = business.current()
        settings.prices_include_tax = seed % 2 == 1
        settings.save(update_fields=["prices_include_tax"])
        Category.objects.create(name="Shelf 1", margin_rate=Decimal("0.25"))
        Product.objects.create(sku="sku3", name="Thing 3", unit_cost=Decimal("1.2345"))
        several = random_orders(Random(seed), count=25)
        again = [replace(order, lines=order.lines[:2]) for order in several[::3]] + several[1::3]

        def singly():
            for order in (*several, *again):
                one(order)

        def at_once():
            many(*several)
            many(*again)

        def as_files():
            imports.load(rows=rows_of(several), source="shop", at=AT)
            imports.load(rows=rows_of(again), source="shop", at=AT)

        single, batch, file = after(singly), after(at_once), after(as_files)
        assert len(single["orders"]) == 25
        for name, rows in single.items():
            assert batch[name] == rows, name
            assert file[name] == rows, name

    def test_what_a_file_said_is_no_change_when_said_here(self):
        several = random_orders(Random(7), count=10)
        imports.load(rows=rows_of(several), source="shop", at=AT)
        before, fed = everything(), Change.objects.count()
        assert outcomes(many(*several)) == ["unchanged"] * 10
        assert one(several[0]).outcome == "unchanged"
        assert (everything(), Change.objects.count()) == (before, fed)

    def test_what_was_said_here_is_no_change_in_a_file(self):
        several = random_orders(Random(8), count=10)
        many(*several)
        report = imports.load(rows=rows_of(several), source="shop", at=AT)
        assert (report.orders_created, report.orders_updated, report.orders_unchanged) == (0, 0, 10)


@pytest.mark.django_db
class TestOne:
    def test_it_makes_the_customer_and_the_products(self):
        made = one(placed(tax_cents=100, shipping_cents=490, channel="web"))
        assert (made.outcome, made.order.net_cents, made.order.margin_cents) == ("created", 2390, 796 + 300)
        customer = Customer.objects.get()
        assert (customer.name, customer.channel, customer.search) == (
            "Ann",
            "web",
            "ann ann@example.com +491701234567 ann",
        )
        assert sorted(Product.objects.values_list("sku", "name", "category__name")) == [
            ("mug", "Mug", "China"),
            ("plate", "plate", None),
        ]

    def test_a_guests_order_has_no_customer(self):
        assert one(placed(buyer=None)).order.customer_id is None
        assert not Customer.objects.exists()

    def test_it_completes_what_is_not_known_and_overwrites_nothing(self):
        one(placed(buyer=Buyer(source="shop", external_id="ann")))
        one(placed())
        one(placed("2", buyer=replace(ANN, name="Anne", email="ann@work.example")))
        assert Customer.objects.get().name == "Ann"
        assert sorted(Email.objects.values_list("address", flat=True)) == ["ann@example.com", "ann@work.example"]
        assert "ann@work.example" in Customer.objects.get().search

    def test_an_address_comes_whole_and_only_where_none_is_known(self):
        home, work = Place("1 Elm St", "02108", "Boston", "MA", "US"), Place("2 Oak St", "60601", "Chicago", "IL", "US")
        one(placed(buyer=replace(ANN, place=home)))
        one(placed("2", buyer=replace(ANN, place=work)))
        assert Customer.objects.get().place == home
        Customer.objects.update(street="", postcode="", region="")
        one(placed("3", buyer=replace(ANN, place=work)))
        assert Customer.objects.get().place == Place(city="Boston", country="US")
        one(placed("4", buyer=replace(ANN, place=home)))
        assert Customer.objects.get().place == home

    def test_a_customer_of_another_source_is_found_by_it(self):
        crm = Buyer(source="crm", external_id="ann")
        first, second = one(placed()).order, one(placed("2", buyer=crm)).order
        assert first.customer_id != second.customer_id
        assert one(placed("2", buyer=crm)).outcome == "unchanged"
        assert one(placed("2")).outcome == "updated"
        assert Order.objects.get(external_id="2").customer_id == first.customer_id

    def test_another_customer_takes_the_order_and_its_refunds(self):
        order = one(placed()).order
        made = refunds.refund(
            order=order, external_id="R", refunded_at=NOON, lines=[Back(sku="plate", quantity=Decimal(1))]
        )
        told = Change.objects.count()
        moved = one(placed(buyer=Buyer(source="shop", external_id="bob"), placed_at=NOON + timedelta(days=2)))
        made.refresh_from_db()
        assert (moved.outcome, made.customer_id) == ("updated", moved.order.customer_id)
        assert set(OrderLine.objects.values_list("customer_id", flat=True)) == {moved.order.customer_id}
        changes = list(Change.objects.order_by("pk")[told:].values_list("kind", "object_id"))
        customers = {order.customer_id, moved.order.customer_id}
        assert {pk for kind, pk in changes if kind == "customer_orders"} == customers
        assert len({pk for kind, pk in changes if kind == "day"}) == 2

    def test_shipping_does_not_count_as_value(self):
        Product.objects.create(sku="post", kind="shipping")
        order = one(placed("1", MUG, Line(sku="post", quantity=Decimal(1), unit_price=Decimal(5)))).order
        assert (order.net_cents, order.value_cents, order.margin_cents) == (2490, 1990, 796)

    @pytest.mark.parametrize("tax", [0, 50])
    def test_an_order_of_nothing_shares_no_tax(self, tax):
        settings = business.current()
        settings.prices_include_tax = True
        settings.save(update_fields=["prices_include_tax"])
        free = replace(MUG, unit_price=Decimal(0))
        assert one(placed("1", free, free, tax_cents=tax)).order.net_cents == 0

    def test_queries(self, django_assert_num_queries):
        settings = business.current()
        with django_assert_num_queries(11):  # a lock, two for the savepoint, two for a customer, four for products
            orders.record_one(placed=placed(), business=settings)
        with django_assert_num_queries(7):
            orders.record_one(placed=placed("2"), business=settings)
        with django_assert_num_queries(6):
            orders.record_one(placed=placed("2"), business=settings)

    def test_an_order_taken_over_from_an_import_is_no_longer_the_imports(self):
        imports.load(rows=rows_of([placed()]), source="shop", at=AT)
        assert Order.objects.get().batch_id is not None
        one(placed("1", MUG))
        assert Order.objects.get().batch_id is None


@pytest.mark.django_db
class TestMany:
    def test_the_number_of_statements_does_not_grow(self, django_assert_max_num_queries):
        settings = business.current()
        several = random_orders(Random(1), count=200)
        with django_assert_max_num_queries(16):
            orders.record_many(orders=several, business=settings)
        shorter = [replace(order, lines=order.lines[:1]) for order in several]
        with django_assert_max_num_queries(16):
            orders.record_many(orders=shorter, business=settings)

    def test_one_that_would_lose_a_refund_stays_and_the_others_are_written(self):
        order = one(placed()).order
        refunds.refund(order=order, external_id="R", refunded_at=NOON, lines=[Back(sku="mug", quantity=Decimal(2))])
        before = ledger.rows(OrderLine, "pk", "quantity")
        found = many(placed("2"), placed("1", PLATE), placed("3"))
        assert outcomes(found) == ["created", "refused", "created"]
        assert isinstance(found[1], RefundedLine)
        assert found[1].position == 1
        assert set(before) <= set(ledger.rows(OrderLine, "pk", "quantity"))
        ledger.check()

    def test_or_nothing_is(self):
        order = one(placed()).order
        refunds.refund(order=order, external_id="R", refunded_at=NOON, lines=[Back(sku="mug", quantity=Decimal(2))])
        before = everything()
        assert "refused" in outcomes(many(placed("2"), placed("1", PLATE), all_or_nothing=True))
        assert everything() == before

    def test_a_refund_of_nothing_keeps_its_line(self):
        order = one(placed()).order
        refunds.refund(order=order, external_id="R", refunded_at=NOON, lines=[Back(sku="plate", quantity=Decimal(0))])
        assert outcomes(many(placed("1", MUG))) == ["refused"]

    def test_an_order_stands_among_them_once(self):
        with pytest.raises(ValueError, match="twice"):
            many(placed(), placed())

    def test_no_orders_are_no_work(self):
        assert many() == []


def at_once(*writes):
    """Run the writes in threads that begin together; returns what each raised or returned."""
    barrier = threading.Barrier(len(writes))
    found: list[Any] = [None] * len(writes)

    def run(number, write):
        barrier.wait()
        try:
            found[number] = write()
        except Exception as error:
            found[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(writes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.fixture
def met(monkeypatch):
    """Call it to make the next two writers of orders meet: both have looked before either writes."""
    barrier = threading.Barrier(2)
    find, own = order_rows.find, threading.local()

    def look(keys, **options):
        found = find(keys, **options)
        if not hasattr(own, "waited"):
            own.waited = True
            barrier.wait(timeout=60)
        return found

    return lambda: monkeypatch.setattr(order_rows, "find", look)


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def test_the_same_new_order_is_one(self, met):
        business.current()
        met()
        found = at_once(lambda: one(placed()), lambda: one(placed()))
        assert sorted(outcomes(found)) == ["created", "unchanged"]
        assert (Order.objects.count(), Customer.objects.count(), Product.objects.count()) == (1, 1, 2)
        assert OrderLine.objects.count() == 2
        ledger.check()

    def test_without_a_second_try_one_fails(self, met, monkeypatch):
        monkeypatch.setattr(orders, "ATTEMPTS", 1)
        business.current()
        met()
        found = at_once(lambda: one(placed()), lambda: one(placed()))
        assert [type(error) for error in found if isinstance(error, Exception)] == [IntegrityError]

    def test_a_new_customer_and_product_in_two_orders_are_one_each(self, met):
        business.current()
        met()
        found = at_once(lambda: one(placed("1")), lambda: one(placed("2")))
        assert outcomes(found) == ["created", "created"]
        assert (Order.objects.count(), Customer.objects.count(), Product.objects.count()) == (2, 1, 2)
        assert (Email.objects.count(), Phone.objects.count()) == (1, 1)

    def test_two_changes_of_one_order_leave_one_of_them_whole(self, met):
        one(placed())
        met()
        found = at_once(lambda: one(placed("1", MUG)), lambda: one(placed("1", MUG, MUG, MUG)))
        assert outcomes(found) == ["updated", "updated"]
        ledger.check()
        assert Order.objects.get(external_id="1").lines.count() in {1, 3}

    def test_batches_in_opposite_order_come_through(self):
        business.current()
        several = random_orders(Random(3), count=60)
        changed = [replace(order, lines=[MUG, PLATE]) for order in several]
        many(*several)
        for _ in range(3):
            found = at_once(lambda: many(*changed), lambda: many(*reversed(several)), lambda: many(*changed[::2]))
            assert not [error for error in found if isinstance(error, Exception)]
        ledger.check()

    def test_an_import_at_the_same_time_is_not_waited_for(self):
        business.current()
        several = random_orders(Random(4), count=20)
        with imports.one_at_a_time():
            (found,) = at_once(lambda: many(*several))
        assert outcomes(found) == ["created"] * 20

    def test_an_import_of_the_same_orders_comes_through(self):
        business.current()
        several = random_orders(Random(5), count=40)
        found = at_once(
            lambda: imports.load(rows=rows_of(several), source="shop", at=AT), lambda: many(*reversed(several))
        )
        assert not [error for error in found if isinstance(error, Exception)], found
        assert Order.objects.count() == 40
        ledger.check()
