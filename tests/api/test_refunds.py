"""Refunds over HTTP: what came back by SKU or line, never more than was bought, also when two ask at once."""

import threading

import pytest
from django.db import connection

from customers.models import Order, OrderLine, Refund
from customers.services import refunds
from tests.api import shop
from tests.api.callers import Caller, caller, codes, make_key
from tests.customers import ledger
from tests.customers.test_order_upserts import at_once


@pytest.fixture
def api(db):
    return caller("orders")


@pytest.fixture
def order(api):
    return api.put(shop.url(), shop.order()).json()


def url(order):
    return f"/api/v1/orders/{order['id']}/refunds/"


def back(*lines, external_id="r-1", **changes):
    return {"external_id": external_id, "lines": list(lines) or [{"sku": "MUG-1", "quantity": 1}]} | changes


class TestPost:
    def test_it_works(self, api, order):
        answer = api.post(url(order), back(refunded_at="2026-03-05T09:00:00+01:00"))
        assert answer.status_code == 201, answer.content
        refund, line = Refund.objects.get(), OrderLine.objects.get(position=1)
        assert answer.json() == {
            "id": str(refund.pk),
            "external_id": "r-1",
            "order": order["id"],
            "refunded_at": "2026-03-05T08:00:00Z",
            "net": "9.95",
            "margin": "5.85",
            "lines": [{"line": str(line.pk), "sku": "MUG-1", "quantity": "1", "amount": "9.95"}],
        }
        assert (line.refunded_quantity, line.refunded_cents) == (1, 995)

    def test_the_same_again_is_200_and_changes_nothing(self, api, order):
        first = api.post(url(order), back()).json()
        again = api.post(url(order), back({"sku": "MUG-1", "quantity": 2}))
        assert (again.status_code, again.json()) == (200, first)
        assert OrderLine.objects.get(position=1).refunded_quantity == 1

    def test_bought_31_returned_10_and_21_left_nothing(self, api, order):
        api.post(url(order), back({"sku": "MUG-1", "quantity": 1}))
        rest = [{"sku": "MUG-1", "quantity": 1}, {"sku": "TEA-7", "quantity": "0.5"}]
        assert api.post(url(order), back(*rest, external_id="r-2")).json()["net"] == "20.95"
        assert ledger.net() == 0
        assert api.get(shop.url()).json()["fully_refunded_on"] is not None
        ledger.check()

    def test_by_line_and_with_an_amount(self, api, order):
        line = str(OrderLine.objects.get(position=2).pk)
        answer = api.post(url(order), back({"line": line, "quantity": "0.25", "amount": "3.00"}))
        assert answer.json()["lines"] == [{"line": line, "sku": "TEA-7", "quantity": "0.25", "amount": "3.00"}]

    def test_money_without_goods(self, api, order):
        answer = api.post(url(order), back({"sku": "MUG-1", "quantity": 0, "amount": "5.00"}))
        assert (answer.status_code, answer.json()["net"]) == (201, "5.00")
        line = OrderLine.objects.get(position=1)
        assert (line.refunded_quantity, line.refunded_cents) == (0, 500)
        ledger.check()

    def test_a_sku_named_twice_is_shared_out_once(self, api, order):
        one = {"sku": "MUG-1", "quantity": 1}
        assert api.post(url(order), back(one, one)).json()["net"] == "19.90"
        ledger.check()

    def test_a_sku_on_two_lines_is_filled_in_their_order(self, api):
        order = api.put(shop.url(), shop.order(lines=[shop.MUG, shop.TEA, shop.MUG])).json()
        lines = api.post(url(order), back({"sku": "MUG-1", "quantity": 3})).json()["lines"]
        assert sorted(line["quantity"] for line in lines) == ["1", "2"]

    @pytest.mark.parametrize(
        ("body", "attr", "code"),
        [
            (back({"sku": "MUG-1", "quantity": 3}), "lines.0.quantity", "too_much"),
            (back({"sku": "MUG-1", "quantity": 1}, {"sku": "MUG-1", "quantity": 2}), "lines.1.quantity", "too_much"),
            (back({"sku": "CUP-1", "quantity": 1}), "lines.0.sku", "too_much"),
            (back({"line": "1", "quantity": 1}), "lines.0.line", "too_much"),
            (back({"sku": "MUG-1", "quantity": 1, "amount": "19.91"}), "lines", "too_much"),
            (back({"sku": "MUG-1", "quantity": -1}), "lines.0.quantity", "range"),
            (back({"sku": "MUG-1", "quantity": 0}), "lines.0.quantity", "zero"),
            (back({"sku": "MUG-1", "quantity": 1, "amount": "-1"}), "lines.0.amount", "range"),
            (back({"quantity": 1}), "lines.0.sku", "sku_or_line"),
            (back({"sku": "MUG-1", "line": "1", "quantity": 1}), "lines.0.sku", "sku_or_line"),
            (back({"sku": "MUG-1", "quantity": 1, "reason": "late"}), "lines.0.reason", "unknown_field"),
            (back(external_id=""), "external_id", "blank"),
            (back(lines=[]), "lines.non_field_errors", "empty"),
            (back(refunded_at="2026-02-27T12:00:00Z"), "refunded_at", "too_much"),
            (back(refunded_at="2999-01-01T12:00:00Z"), "refunded_at", "year"),
            (back(refunded_at="2026-03-05T09:00:00"), "refunded_at", "naive"),
        ],
    )
    def test_bad_input_is_named(self, api, order, body, attr, code):
        answer = api.post(url(order), body)
        assert (answer.status_code, codes(answer)) == (400, {attr: code}), answer.content
        assert not Refund.objects.exists()

    def test_an_unknown_order_is_404(self, api):
        assert api.post("/api/v1/orders/999999999/refunds/", back()).status_code == 404
        assert api.get("/api/v1/orders/999999999/refunds/").status_code == 404

    def test_a_key_without_the_scope_gets_403(self, order):
        assert caller("orders:read").post(url(order), back()).status_code == 403
        assert caller("orders:read").get(url(order)).status_code == 200
        assert caller("customers").get(url(order)).status_code == 403

    def test_an_idempotency_key_is_heeded(self, api, order):
        first = api.post(url(order), back(), Idempotency_Key="k")
        again = api.post(url(order), back(), Idempotency_Key="k")
        assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
        assert api.post(url(order), back(external_id="x"), Idempotency_Key="k").status_code == 422


def test_the_list_is_the_orders_own(api, order):
    other = api.put(shop.url("2"), shop.order()).json()
    made = [api.post(url(order), back(external_id=name)).json() for name in ("r-1", "r-2")]
    api.post(url(other), back())
    assert api.get(url(order)).json()["results"] == made[::-1]


def ask_twice(order, text):
    bodies = [back({"sku": "MUG-1", "quantity": 2}, external_id=name) for name in ("a", "b")]
    return at_once(*(lambda body=body: Caller(text).post(url(order), body).status_code for body in bodies))


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    @pytest.fixture
    def text(self):
        return make_key("orders")[1]

    @pytest.fixture
    def order(self, text):
        return Caller(text).put(shop.url(), shop.order()).json()

    def test_never_more_comes_back_than_was_bought(self, order, text):
        assert sorted(ask_twice(order, text)) == [201, 400]
        assert OrderLine.objects.get(position=1).refunded_quantity == 2
        ledger.check()

    def test_without_the_locks_the_constraints_refuse(self, order, text, unlocked):
        assert sorted(ask_twice(order, text)) == [201, 400]
        assert OrderLine.objects.get(position=1).refunded_quantity == 2

    def test_without_locks_and_constraints_too_much_comes_back(self, order, text, unlocked, unconstrained):
        assert sorted(ask_twice(order, text)) == [201, 201]
        assert OrderLine.objects.get(position=1).refunded_quantity == 4

    @pytest.fixture
    def unlocked(self, monkeypatch):
        """Nothing is locked, and both have looked before either writes."""
        monkeypatch.setattr(type(Order.objects), "select_for_update", lambda self, **options: self.get_queryset())
        spread, barrier = refunds._spread, threading.Barrier(2)

        def meet(*args):
            found = spread(*args)
            barrier.wait(timeout=60)
            return found

        monkeypatch.setattr(refunds, "_spread", meet)

    @pytest.fixture
    def unconstrained(self, order):
        names = ("no_more_comes_back_than_was_bought", "no_more_is_paid_back_than_was_paid")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = ANY(%s)", [[*names]]
            )
            definitions = cursor.fetchall()
            for name, _ in definitions:
                cursor.execute(f"ALTER TABLE customers_orderline DROP CONSTRAINT {name}")
            yield
            cursor.execute("UPDATE customers_orderline SET refunded_quantity = 0, refunded_cents = 0")
            for name, definition in definitions:
                cursor.execute(f"ALTER TABLE customers_orderline ADD CONSTRAINT {name} {definition}")

    def test_the_same_refund_twice_is_one(self, order, text):
        found = at_once(*[lambda: Caller(text).post(url(order), back()).status_code] * 3)
        assert sorted(found) == [200, 200, 201]
        assert Refund.objects.count() == 1
