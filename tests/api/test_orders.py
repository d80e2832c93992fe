"""Orders over HTTP: upserts, batches, lists; and everything that is refused, by its name."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from core.models import Change
from customers.models import Category, Customer, Email, Order, OrderLine, Phone, Product
from tests.api import shop
from tests.api.callers import caller, codes
from tests.factories import make_business, make_customer, make_order

pytestmark = pytest.mark.django_db
BATCH = "/api/v1/orders/batch/"


@pytest.fixture
def api(db):
    return caller("orders")


class TestPut:
    def test_it_works(self, api):
        answer = api.put(shop.url(), shop.order(shipping="4.90", tax="1.20", channel="web"))
        assert answer.status_code == 201, answer.content
        order, customer = Order.objects.get(), Customer.objects.get()
        assert answer.json() == {
            "id": str(order.pk),
            "source": "shop",
            "external_id": "1",
            "customer": str(customer.pk),
            "status": "paid",
            "placed_at": "2026-03-01T12:30:00Z",
            "channel": "web",
            "net": "30.90",
            "value": "30.90",
            "margin": "16.10",
            "tax": "1.20",
            "shipping": "4.90",
            "fully_refunded_on": None,
        }
        assert (customer.name, Email.objects.get().address) == ("Ada", "ada@example.com")
        assert sorted(Product.objects.values_list("sku", "name")) == [("MUG-1", "Mug"), ("TEA-7", "TEA-7")]
        assert list(OrderLine.objects.order_by("position").values_list("net_cents", flat=True)) == [1990, 1100]

    def test_the_same_again_changes_nothing(self, api):
        first = api.put(shop.url(), shop.order())
        fed = Change.objects.count()
        again = api.put(shop.url(), shop.order())
        assert (again.status_code, again.json()) == (200, first.json())
        assert Change.objects.count() == fed

    def test_another_body_is_an_update(self, api):
        api.put(shop.url(), shop.order())
        answer = api.put(shop.url(), shop.line(quantity=1))
        assert (answer.status_code, answer.json()["net"]) == (200, "9.95")
        assert OrderLine.objects.count() == 1

    def test_a_guest(self, api):
        assert api.put(shop.url(), shop.order(customer=None)).json()["customer"] is None

    def test_contacts_are_normalised(self, api):
        api.put(shop.url(), shop.order(customer=shop.ADA | {"email": "Ada@Example.COM", "phone": "+49 170 123-4567"}))
        assert (Email.objects.get().address, Phone.objects.get().number) == ("ada@example.com", "+491701234567")

    def test_the_buyer_s_address(self, api):
        api.put(shop.url(), shop.order(customer=shop.ADA | {"street": "1 Quai", "city": "Paris", "country": "FR"}))
        assert Customer.objects.get().place == ("1 Quai", "", "Paris", "", "FR")

    def test_a_category_is_made(self, api):
        api.put(shop.url(), shop.line(category="China"))
        assert Product.objects.get().category == Category.objects.get()

    @pytest.mark.parametrize("external_id", ["2024%2F001", "a b", "Bestellung ß", "x" * 200])
    def test_any_id_of_the_source_can_stand_in_the_address(self, api, external_id):
        assert api.put(shop.url(external_id), shop.order()).status_code == 201
        assert api.get(shop.url(external_id)).json()["external_id"] == external_id.replace("%2F", "/")

    def test_numbers_may_be_numbers(self, api):
        body = json.dumps(shop.line()).replace('"9.95"', "9.95").replace('"4.10"', "4.1").encode()
        assert api.send("PUT", shop.url(), raw=body).json()["net"] == "19.90"
        assert api.put(shop.url(), shop.line()).status_code == 200

    @pytest.mark.parametrize(
        ("body", "attr", "code"),
        [
            (shop.order(unknown=1), "unknown", "unknown_field"),
            (shop.order(customer=shop.ADA | {"age": 3}), "customer.age", "unknown_field"),
            (shop.line(colour="red"), "lines.0.colour", "unknown_field"),
            (shop.order(customer={"source": "shop"}), "customer.external_id", "required"),
            (shop.order(customer=shop.ADA | {"email": "ada"}), "customer.email", "address"),
            (shop.order(customer=shop.ADA | {"phone": "0170"}), "customer.phone", "number"),
            (shop.order(customer="ada"), "customer.non_field_errors", "invalid"),
            (shop.order(placed_at="2026-03-01T12:00:00"), "placed_at", "naive"),
            (shop.order(placed_at="2026-03-01"), "placed_at", "naive"),
            (shop.order(placed_at="the first"), "placed_at", "invalid"),
            (shop.order(placed_at="2999-03-01T12:00:00Z"), "placed_at", "year"),
            (shop.order(placed_at=(timezone.now() + timedelta(days=1)).isoformat()), "placed_at", "future"),
            (shop.order(placed_at=1), "placed_at", "invalid"),
            (shop.order(status="lost"), "status", "invalid_choice"),
            (shop.order(currency="EUR"), "currency", "other_currency"),
            (shop.order(lines=[]), "lines.non_field_errors", "empty"),
            (shop.order(lines={}), "lines.non_field_errors", "not_a_list"),
            (shop.order(lines=[shop.MUG] * 501), "lines.non_field_errors", "max_length"),
            (shop.order(tax="-1"), "tax", "range"),
            (shop.order(tax="0.001"), "tax", "places"),
            (shop.line(quantity=-1), "lines.0.quantity", "range"),
            (shop.line(quantity=0), "lines.0.quantity", "zero"),
            (shop.line(quantity="1e30"), "lines.0.quantity", "invalid"),
            (shop.line(quantity=10**18), "lines.0.quantity", "range"),
            (shop.line(quantity="0.0001"), "lines.0.quantity", "places"),
            (shop.line(quantity=True), "lines.0.quantity", "invalid"),
            (shop.line(quantity=[1]), "lines.0.quantity", "invalid"),
            (shop.line(unit_price="NaN"), "lines.0.unit_price", "invalid"),
            (shop.line(unit_price="Infinity"), "lines.0.unit_price", "invalid"),
            (shop.line(unit_price="-1"), "lines.0.unit_price", "range"),
            (shop.line(unit_price="9999999999", quantity=9999), "lines.0.unit_price", "range"),
            (shop.line(unit_cost="-1"), "lines.0.unit_cost", "range"),
            (shop.line(discount="19.91"), "lines.0.discount", "range"),
            (shop.line(sku=""), "lines.0.sku", "blank"),
            (shop.line(sku="x" * 101), "lines.0.sku", "max_length"),
            (shop.line(sku=1), "lines.0.sku", "invalid"),
            ([], "non_field_errors", "invalid"),
        ],
    )
    def test_bad_input_is_named(self, api, body, attr, code):
        answer = api.put(shop.url(), body)
        assert answer.status_code == 400, answer.content
        assert codes(answer) == {attr: code}
        assert not Order.objects.exists()
        assert not Customer.objects.exists()

    @pytest.mark.parametrize(
        "text", ['{"lines": NaN}', '{"channel": "\\u0000"}', '{"tax": 1e300}', "{", '{"a":1,"a":2}']
    )
    def test_what_is_no_clean_json_is_refused(self, api, text):
        answer = api.send("PUT", shop.url(), raw=text.encode())
        assert (answer.status_code, codes(answer)) == (400, {None: "parse_error"})

    def test_names_that_fit_nowhere_are_unknown_addresses(self, api):
        assert api.put(shop.url("x" * 201), shop.order()).status_code == 404
        assert api.put(shop.url(source="s" * 61), shop.order()).status_code == 404
        assert api.put(shop.url("a%00b"), shop.order()).status_code == 404

    def test_what_came_back_cannot_be_unsold(self, api):
        made = api.put(shop.url(), shop.order()).json()
        back = {"external_id": "r", "lines": [{"sku": "TEA-7", "quantity": "0.5"}]}
        assert api.post(f"/api/v1/orders/{made['id']}/refunds/", back).status_code == 201
        answer = api.put(shop.url(), shop.order(lines=[shop.MUG, shop.TEA | {"quantity": "0.25"}]))
        assert codes(answer) == {"lines.1.quantity": "refunded_line"}
        assert codes(api.put(shop.url(), shop.line())) == {"lines": "refunded_line"}

    def test_a_key_without_the_scope_gets_403(self):
        for scope in ("orders:read", "customers", "analytics", "admin:read"):
            assert caller(scope).put(shop.url(), shop.order()).status_code == 403
        assert not Order.objects.exists()

    def test_queries(self, api, django_assert_num_queries):
        api.put(shop.url("0"), shop.order())
        with django_assert_num_queries(9):  # business, key, two of the savepoint, a lock, three looks, the order
            assert api.put(shop.url(), shop.order()).status_code == 201
        with django_assert_num_queries(8):
            assert api.put(shop.url(), shop.order()).status_code == 200


class TestBatch:
    def test_it_works(self, api):
        api.put(shop.url("1"), shop.order())
        api.put(shop.url("2"), shop.order())
        answer = api.post(BATCH, {"orders": [shop.item(1), shop.item(2, tax="1"), shop.item(3, customer=None)]})
        assert answer.status_code == 200, answer.content
        ids = [str(Order.objects.get(external_id=number).pk) for number in "123"]
        assert answer.json() == {
            "created": 1,
            "updated": 1,
            "unchanged": 1,
            "rejected": 0,
            "ids": ids,
            "rejects": [],
        }

    def test_the_good_ones_are_in_and_the_bad_ones_are_named(self, api):
        bad = shop.item(2, lines=[shop.MUG, shop.TEA | {"quantity": -1}])
        answer = api.post(BATCH, {"orders": [shop.item(1), bad, shop.item(1, tax="5"), 7, shop.item(4)]}).json()
        assert sorted(Order.objects.values_list("external_id", "tax_cents")) == [("1", 0), ("4", 0)]
        assert (answer["created"], answer["rejected"]) == (2, 3)
        assert [value is None for value in answer["ids"]] == [False, True, True, True, False]
        named = [
            (reject["index"], reject["external_id"], reject["errors"][0]["attr"], reject["errors"][0]["code"])
            for reject in answer["rejects"]
        ]
        assert named == [
            (1, "2", "lines.1.quantity", "range"),
            (2, "1", "external_id", "duplicate"),
            (3, None, "non_field_errors", "invalid"),
        ]

    def test_all_or_nothing(self, api):
        bad = shop.item(2, lines=[shop.MUG | {"quantity": -1}])
        answer = api.post(BATCH, {"orders": [shop.item(1), bad], "all_or_nothing": True})
        assert (answer.status_code, codes(answer)) == (400, {"orders.1.lines.0.quantity": "range"})
        assert not Order.objects.exists()
        assert api.post(BATCH, {"orders": [shop.item(1)], "all_or_nothing": True}).json()["created"] == 1

    @pytest.mark.parametrize("whole", [True, False])
    def test_one_that_would_lose_a_refund(self, api, whole):
        made = api.put(shop.url(), shop.order()).json()
        back = {"external_id": "r", "lines": [{"sku": "MUG-1", "quantity": 2}]}
        api.post(f"/api/v1/orders/{made['id']}/refunds/", back)
        orders = [shop.item(5), shop.item(1, lines=[shop.MUG | {"quantity": 1}])]
        answer = api.post(BATCH, {"orders": orders, "all_or_nothing": whole})
        assert Order.objects.count() == (1 if whole else 2)
        if whole:
            assert (answer.status_code, codes(answer)) == (400, {"orders.1.lines.0.quantity": "refunded_line"})
        else:
            (reject,) = answer.json()["rejects"]
            assert (reject["index"], reject["errors"][0]["attr"]) == (1, "lines.0.quantity")
        assert OrderLine.objects.get(order_id=made["id"], position=1).quantity == 2

    @pytest.mark.parametrize(
        ("body", "attr", "code"),
        [
            ({"orders": []}, "orders", "empty"),
            ({"orders": [1] * 1001}, "orders", "max_length"),
            ({"orders": {}}, "orders", "not_a_list"),
            ({}, "orders", "required"),
            ({"orders": [1], "all_or_nothing": "yes"}, "all_or_nothing", "invalid"),
            ({"orders": [1], "more": 1}, "more", "unknown_field"),
        ],
    )
    def test_a_bad_frame_is_refused(self, api, body, attr, code):
        answer = api.post(BATCH, body)
        assert (answer.status_code, codes(answer)) == (400, {attr: code})

    def test_a_thousand_take_as_many_queries_as_one(self, api, django_assert_max_num_queries):
        orders = [shop.item(number, customer=shop.ADA | {"external_id": f"c{number}"}) for number in range(1000)]
        with django_assert_max_num_queries(16):
            assert api.post(BATCH, {"orders": orders}).json()["created"] == 1000

    def test_reading_it_is_no_method(self, api):
        assert api.get(BATCH).status_code == 405


class TestRead:
    def test_one_with_lines_and_refunds(self, api):
        made = api.put(shop.url(), shop.order()).json()
        back = {"external_id": "r-1", "lines": [{"sku": "MUG-1", "quantity": 1}]}
        refund = api.post(f"/api/v1/orders/{made['id']}/refunds/", back).json()
        found = api.get(f"/api/v1/orders/{made['id']}/").json()
        assert found == api.get(shop.url()).json()
        assert found.items() >= made.items()
        assert found["refunds"] == [refund]
        mug = found["lines"][0]
        assert {
            name: mug[name] for name in ("sku", "quantity", "unit_price", "net", "refunded_quantity", "refunded")
        } == {
            "sku": "MUG-1",
            "quantity": "2",
            "unit_price": "9.9500",
            "net": "19.90",
            "refunded_quantity": "1",
            "refunded": "9.95",
        }

    def test_lines_stand_in_their_order(self, api):
        api.put(shop.url(), shop.order(lines=[shop.MUG]))
        api.put(shop.url(), shop.order(lines=[shop.TEA, shop.MUG, shop.TEA]))
        assert [line["position"] for line in api.get(shop.url()).json()["lines"]] == [1, 2, 3]

    def test_unknown_ones_are_404(self, api):
        for url in ("/api/v1/orders/999999999/", "/api/v1/orders/0/", f"/api/v1/orders/{10**17}/", shop.url("none")):
            assert api.get(url).status_code == 404

    def test_the_list_is_filtered(self, api):
        ann = make_customer()
        first = make_order(customer=ann, channel="web")
        second = make_order(customer=ann, status="pending", source="till")
        other = make_order(at=shop.AT, day=shop.AT.date())
        day = first.placed_at.isoformat().replace("+", "%2B")
        asked = {
            f"customer={ann.pk}": [second, first],
            "status=pending": [second],
            "channel=web": [first],
            "source=till": [second],
            f"placed_after={day}": [second, first],
            f"placed_after={first.placed_at.isoformat()}": [second, first],
            f"placed_before={day}": [other],
            f"customer={ann.pk}&status=paid": [first],
            "": [other, second, first],
        }
        for query, expected in asked.items():
            found = api.get(f"/api/v1/orders/?{query}").json()["results"]
            assert [row["id"] for row in found] == [str(order.pk) for order in expected], query

    @pytest.mark.parametrize(
        ("query", "attr", "code"),
        [
            ("customer=x", "customer", "invalid"),
            ("customer=99999999999999999999", "customer", "invalid"),
            ("status=lost", "status", "invalid_choice"),
            ("placed_after=yesterday", "placed_after", "invalid"),
            ("placed_after=2026-03-01T12:00:00", "placed_after", "naive"),
            ("colour=red", "colour", "unknown_parameter"),
            ("limit=201", "limit", "invalid"),
            ("cursor=x", "cursor", "invalid"),
        ],
    )
    def test_bad_parameters_are_named(self, api, query, attr, code):
        answer = api.get(f"/api/v1/orders/?{query}")
        assert (answer.status_code, codes(answer)) == (400, {attr: code})

    def test_pages_go_on_where_they_ended(self, api):
        made = [str(make_order().pk) for _ in range(5)]
        page = api.get("/api/v1/orders/?limit=2").json()
        found = [row["id"] for row in page["results"]]
        while page["next"]:
            page = api.get(page["next"].removeprefix("http://testserver")).json()
            found += [row["id"] for row in page["results"]]
        assert found == made[::-1]

    def test_queries(self, api, django_assert_num_queries):
        for _ in range(20):
            make_order()
        api.get("/api/v1/orders/")
        with django_assert_num_queries(3):
            assert len(api.get("/api/v1/orders/").json()["results"]) == 20


def test_another_zone_counts_the_day(api):
    make_business(time_zone="America/New_York")
    api.put(shop.url(), shop.order(placed_at="2026-03-01T03:30:00+01:00"))
    assert Order.objects.get().placed_on.isoformat() == "2026-02-28"
