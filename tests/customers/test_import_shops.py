"""Exports of shop systems, with totals added up by hand from the excerpts in tests/data."""

import io
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db.models import Sum

from customers.models import Customer, Identity, Order, OrderLine, Refund, UnmatchedReturn
from tests.customers import ledger
from tests.factories import make_business

pytestmark = pytest.mark.django_db

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(autouse=True)
def dollars():
    make_business(currency="USD", time_zone="UTC", margin_rate="0.4")


def run(tmp_path, path, *options, command="import_orders", preset="shopify"):
    """Import; returns the report, and what was said on the way."""
    report, said = tmp_path / "report.json", io.StringIO()
    call_command(command, str(path), *options, preset=preset, report=report, stdout=io.StringIO(), stderr=said)
    return json.loads(report.read_text()), said.getvalue()


def written(tmp_path, text, name="orders.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def nets():
    return dict(Order.objects.values_list("external_id", "net_cents"))


class TestShopifyOrders:
    def test_it_works(self, tmp_path):
        """45.00 + 100.00 + 30.00 + 20.00 + 12.50 + 27.00, less the refunds 20.00 and 30.00."""
        report, _ = run(tmp_path, DATA / "shopify_orders.csv")
        assert nets() == {"#1001": 4500, "#1002": 10000, "#1003": 3000, "#1004": 2000, "#1005": 1250, "#1006": 2700}
        assert report == {
            "read": 7,
            "imported": 7,
            "rejected": 0,
            "customers_created": 4,
            "orders_created": 6,
            "orders_updated": 0,
            "orders_unchanged": 0,
            "refund_lines": 2,
            "guest_orders": 1,
            "net_cents": 18450,
        }
        ledger.check()

    def test_the_discount_of_the_order_is_spread_over_its_lines(self, tmp_path):
        """5.00 over 30.00 and 20.00; margins are 40 % of what is left."""
        run(tmp_path, DATA / "shopify_orders.csv")
        lines = OrderLine.objects.filter(order__external_id="#1001").order_by("position")
        assert [(line.product.sku, line.discount_cents, line.net_cents, line.margin_cents) for line in lines] == [
            ("MUG-1", 300, 2700, 1080),
            ("POT-1", 200, 1800, 720),
        ]
        order = Order.objects.get(external_id="#1001")
        assert (order.tax_cents, order.shipping_cents, order.margin_cents) == (400, 500, 1800)

    def test_a_discount_of_a_line_stays_on_it(self, tmp_path):
        run(tmp_path, DATA / "shopify_orders.csv")
        line = OrderLine.objects.get(order__external_id="#1006")
        assert (line.discount_cents, line.net_cents) == (300, 2700)

    def test_a_discount_on_shipping_is_none_on_the_goods(self, tmp_path):
        """The subtotal says what the goods cost, whatever the code took off."""
        head = "Name,Email,Subtotal,Shipping,Total,Discount Amount,Created at,"
        text = f"{head}Lineitem quantity,Lineitem name,Lineitem price\n"
        run(tmp_path, written(tmp_path, text + "#1,a@example.com,20.00,0.00,20.00,5.00,2024-01-01,1,Mug,20.00\n"))
        assert nets() == {"#1": 2000}

    def test_refunds(self, tmp_path):
        """25.00 of 125.00 came back: a fifth, so 20.00 of the goods and 8.00 of their margin of 40.00."""
        run(tmp_path, DATA / "shopify_orders.csv")
        part, whole = Refund.objects.order_by("order__external_id")
        assert (part.order.external_id, part.net_cents, part.margin_cents) == ("#1002", 2000, 800)
        assert (whole.order.external_id, whole.net_cents, whole.margin_cents) == ("#1003", 3000, 1200)
        assert (part.order.fully_refunded_on, whole.order.fully_refunded_on) == (None, date(2024, 3, 1))
        assert not UnmatchedReturn.objects.exists()

    def test_status_and_time(self, tmp_path):
        run(tmp_path, DATA / "shopify_orders.csv")
        assert dict(Order.objects.values_list("external_id", "status")) == {
            "#1001": "paid",
            "#1002": "paid",
            "#1003": "paid",
            "#1004": "cancelled",
            "#1005": "paid",
            "#1006": "pending",
        }
        order = Order.objects.get(external_id="#1001")
        assert order.placed_at == datetime(2024, 1, 3, 3, 4, 5, tzinfo=UTC), "22:04 in New York"
        assert order.placed_on == date(2024, 1, 3)
        paid = Order.objects.filter(status="paid").aggregate(Sum("value_cents"), Sum("margin_cents"))
        assert paid == {"value_cents__sum": 18750, "margin_cents__sum": 7500}

    def test_customers_are_known_by_their_address(self, tmp_path):
        run(tmp_path, DATA / "shopify_orders.csv")
        assert set(Identity.objects.values_list("source", "external_id")) == {
            ("shopify", "ann.lee@example.com"),
            ("shopify", "bob@example.com"),
            ("shopify", "cleo@example.com"),
            ("shopify", "dan@example.com"),
        }
        ann = Customer.objects.get(name="Ann Lee")
        assert (ann.orders.count(), ann.phones.get().number) == (2, "+16175550142")
        assert Order.objects.get(external_id="#1005").customer is None

    def test_the_same_file_again_changes_nothing(self, tmp_path):
        run(tmp_path, DATA / "shopify_orders.csv")
        before = ledger.facts()
        report, _ = run(tmp_path, DATA / "shopify_orders.csv")
        assert (report["orders_created"], report["orders_unchanged"], report["net_cents"]) == (0, 6, 18450)
        assert ledger.facts() == before

    def test_more_came_back_since(self, tmp_path):
        run(tmp_path, DATA / "shopify_orders.csv")
        text = (DATA / "shopify_orders.csv").read_text().replace("Card,25.00", "Card,50.00")
        report, _ = run(tmp_path, written(tmp_path, text))
        assert Refund.objects.get(order__external_id="#1002").net_cents == 4000
        assert report["net_cents"] == 16450
        ledger.check()

    def test_consent_is_left_out_and_it_is_said(self, tmp_path):
        _, said = run(tmp_path, DATA / "shopify_orders.csv")
        assert "the column “Accepts Marketing” is left out: a file cannot consent to marketing" in said
        assert "line 4, refunded: “25.00” was paid back; the file does not say when" in said

    def test_half_an_order_is_not_imported(self, tmp_path):
        text = (DATA / "shopify_orders.csv").read_text().replace('large",20.00,,POT-1', 'large",many,,POT-1', 1)
        report, said = run(tmp_path, written(tmp_path, text))
        assert (report["read"], report["imported"], report["rejected"]) == (7, 5, 2)
        assert "line 3, price: “many” is not a number" in said
        assert "line 2: belongs to an order that cannot be used because of line 3" in said
        assert "#1001" not in nets()

    @pytest.mark.parametrize(
        ("old", "new", "reason"),
        [
            ("no,USD,100.00", "no,EUR,100.00", "line 4, currency: “EUR” is not the business's currency USD"),
            ("partially_refunded", "lost", "line 4, financial_status: “lost” is not a status that Shopify has"),
            ("2024-02-10 07:59:00 -0500", "", "line 4, date: no Created at"),
            ("2024-02-10 07:59:00 -0500", "soon", "line 4, date: “soon” is not a date"),
            (",4,Dinner", ",-4,Dinner", "line 4, quantity: “-4” is negative"),
            (",4,Dinner", ",,Dinner", "line 4, quantity: no Lineitem quantity"),
        ],
    )
    def test_what_cannot_be_used_is_named(self, tmp_path, old, new, reason):
        text = (DATA / "shopify_orders.csv").read_text()
        assert text.count(old) == 1
        report, said = run(tmp_path, written(tmp_path, text.replace(old, new)))
        assert (report["imported"], report["rejected"]) == (6, 1)
        assert reason in said

    def test_tax_in_the_prices(self, tmp_path):
        """15.00 of tax are in the 100.00 of the plates; of the 25.00 that came back a fifth of it, 3.00."""
        make_business(prices_include_tax=True)
        run(tmp_path, DATA / "shopify_orders.csv")
        assert nets()["#1002"] == 8500
        assert Refund.objects.get(order__external_id="#1002").net_cents == 1700

    def test_an_order_of_very_many_rows_is_cut(self, tmp_path, monkeypatch):
        monkeypatch.setattr("customers.importing.reading.MOST_TOGETHER", 1)
        report, said = run(tmp_path, DATA / "shopify_orders.csv")
        assert report["rejected"] == 1
        assert "line 3, date: no Created at: the first row of this order is not right above" in said


class TestAddressesOfOrders:
    def people(self):
        return dict(Customer.objects.exclude(street="").values_list("name", "street"))

    def test_they_come_whole_and_overwrite_nothing(self, tmp_path):
        run(tmp_path, DATA / "shopify_orders.csv")
        ann = Customer.objects.get(name="Ann Lee")
        assert ann.place == ("1 Elm St", "02108", "Boston", "", "US")
        Customer.objects.update(street="", postcode="", city="")
        Customer.objects.filter(pk=ann.pk).update(street="9 New Rd")
        Customer.objects.exclude(pk=ann.pk).update(city="Elsewhere")
        run(tmp_path, DATA / "shopify_orders.csv")
        assert (self.people(), Customer.objects.get(pk=ann.pk).postcode) == ({"Ann Lee": "9 New Rd"}, "")
        Customer.objects.update(city="", street="")
        run(tmp_path, DATA / "shopify_orders.csv")
        assert Customer.objects.get(pk=ann.pk).place == ("1 Elm St", "02108", "Boston", "", "US")

    def test_an_address_for_deliveries_where_there_is_no_other(self, tmp_path):
        head = "Name,Email,Created at,Lineitem quantity,Lineitem name,Lineitem price,Billing City,Shipping Address1"
        text = f"{head},Shipping City,Shipping Zip\n#1,a@x.de,2024-01-01,1,Mug,5,Rome,5 Quay Rd,Cork,'T12\n"
        run(tmp_path, written(tmp_path, text))
        assert Customer.objects.get().place[:3] == ("5 Quay Rd", "T12", "Cork")

    def test_both_lines_of_a_street(self, tmp_path):
        head = "order_number,order_status,order_date,billing_email,item_total,billing_address_1,billing_address_2"
        text = f"{head},billing_postcode,billing_city,billing_state\n"
        text += "1,completed,2024-01-01,a@x.de,5.00,Hauptstr. 5,Hof 2,10115,Berlin,BE\n"
        run(tmp_path, written(tmp_path, text), preset="woocommerce")
        assert Customer.objects.get().place == ("Hauptstr. 5, Hof 2", "10115", "Berlin", "BE", "")


class TestShopifyCustomers:
    def test_they_meet_their_orders(self, tmp_path):
        run(tmp_path, DATA / "shopify_orders.csv")
        report, said = run(tmp_path, DATA / "shopify_customers.csv", command="import_customers")
        assert {key: report[key] for key in ("read", "rejected", "customers_created", "customers_updated")} == {
            "read": 4,
            "rejected": 0,
            "customers_created": 2,
            "customers_updated": 2,
        }
        ann = Customer.objects.get(name="Ann Lee")
        assert (ann.company.name, ann.orders.count()) == ("Lee & Co", 2)
        assert ann.place == ("1 Elm St", "02108", "Boston", "MA", "US")
        assert {"+15125550199", "id:7004"} < set(Identity.objects.values_list("external_id", flat=True))
        for column in ("Accepts Email Marketing", "Accepts SMS Marketing"):
            assert f"the column “{column}” is left out" in said

    def test_the_same_file_again_changes_nothing(self, tmp_path):
        run(tmp_path, DATA / "shopify_customers.csv", command="import_customers")
        before = ledger.facts()
        report, _ = run(tmp_path, DATA / "shopify_customers.csv", command="import_customers")
        assert (report["customers_created"], report["customers_unchanged"]) == (0, 4)
        assert ledger.facts() == before

    def test_nobody_at_all_is_refused(self, tmp_path):
        path = written(tmp_path, "Customer ID,First Name,Email\n,Ann,\n")
        report, said = run(tmp_path, path, command="import_customers")
        assert report["rejected"] == 1
        assert "is no e-mail, and there is no phone or customer id either" in said


class TestWooCommerce:
    def test_one_row_per_item(self, tmp_path):
        """70.00 + 60.00 + 15.00 + 25.00 + 25.00, less one teapot of 20.00 and the whole order of 15.00."""
        report, _ = run(tmp_path, DATA / "woocommerce_items.csv", preset="woocommerce")
        assert nets() == {"501": 7000, "502": 6000, "503": 1500, "504": 2500, "505": 2500}
        assert (report["read"], report["imported"], report["net_cents"]) == (6, 6, 16000)
        assert (report["customers_created"], report["guest_orders"], report["refund_lines"]) == (3, 1, 2)
        ledger.check()

    def test_status_refunds_and_margins(self, tmp_path):
        run(tmp_path, DATA / "woocommerce_items.csv", preset="woocommerce")
        assert dict(Order.objects.values_list("external_id", "status")) == {
            "501": "paid",
            "502": "paid",
            "503": "paid",
            "504": "cancelled",
            "505": "pending",
        }
        order = Order.objects.get(external_id="501")
        assert (order.tax_cents, order.shipping_cents, order.margin_cents) == (800, 500, 1067 + 1733)
        teapot = Refund.objects.get(order__external_id="502")
        assert (teapot.net_cents, teapot.margin_cents, teapot.lines.get().quantity) == (2000, 800, 1)
        assert Order.objects.get(external_id="503").fully_refunded_on == date(2024, 2, 7)

    def test_prices_and_a_discount_on_the_first_row_only(self, tmp_path):
        """Advanced Order Export: 80.00 less 10.00; 100.00 of which half of the total of 110.00 came back."""
        report, _ = run(tmp_path, DATA / "woocommerce_advanced.csv", preset="woocommerce")
        assert nets() == {"601": 7000, "602": 10000}
        lines = OrderLine.objects.filter(order__external_id="601").order_by("position")
        assert [(line.discount_cents, line.net_cents) for line in lines] == [(375, 2625), (625, 4375)]
        assert report["net_cents"] == 12000
        assert Customer.objects.filter(name="Gil").exists()

    def test_quantities_that_are_less_what_came_back(self, tmp_path):
        """Then nothing comes back a second time, and an order of which nothing is left is none."""
        head = "Order Number,Order Status,Order Date,Email (Billing),Order Refund Amount,Order Total Amount,"
        text = f"{head}Item Name,Quantity (- Refund),Item Cost\n"
        text += "1,Completed,2024-01-01,a@example.com,20.00,60.00,Mug,2,20.00\n"
        text += "2,Refunded,2024-01-02,a@example.com,20.00,20.00,Mug,0,20.00\n"
        run(tmp_path, written(tmp_path, text), preset="woocommerce")
        assert nets() == {"1": 4000, "2": 0}
        assert Order.objects.get(external_id="2").status == "cancelled"
        assert not Refund.objects.exists()

    def test_the_report_of_orders_has_guests_only(self, tmp_path):
        text = "Date,Order #,Status,Customer,Customer type,Product(s),Items sold,Net Sales\n"
        text += '2024-01-05 10:00:00,701,completed,Ann Lee,new,"1× Mug, 2× Plate",3,65.00\n'
        report, _ = run(tmp_path, written(tmp_path, text), preset="woocommerce")
        assert (nets(), report["guest_orders"]) == ({"701": 6500}, 1)

    @pytest.mark.parametrize("file", ["woocommerce_items.csv", "woocommerce_advanced.csv"])
    def test_the_same_file_again_changes_nothing(self, tmp_path, file):
        run(tmp_path, DATA / file, preset="woocommerce")
        before = ledger.facts()
        report, _ = run(tmp_path, DATA / file, preset="woocommerce")
        assert (report["orders_created"], report["orders_updated"]) == (0, 0)
        assert ledger.facts() == before

    def test_totals_are_without_tax_whatever_the_business_does(self, tmp_path):
        make_business(prices_include_tax=True)
        run(tmp_path, DATA / "woocommerce_items.csv", preset="woocommerce")
        assert nets()["501"] == 7000

    def test_customers_meet_their_orders(self, tmp_path):
        run(tmp_path, DATA / "woocommerce_items.csv", preset="woocommerce")
        options = {"command": "import_customers", "preset": "woocommerce"}
        report, said = run(tmp_path, DATA / "woocommerce_customers.csv", **options)
        assert (report["customers_created"], report["customers_updated"]) == (0, 2)
        assert Customer.objects.get(name="Hal Ito").city == "Kyoto"
        assert "the column “accepts_marketing” is left out" in said
        report, _ = run(tmp_path, DATA / "woocommerce_customers.csv", **options)
        assert report["customers_unchanged"] == 2


class TestMap:
    def test_a_column_for_two_fields_is_refused_by_name(self, tmp_path):
        path = written(tmp_path, "customer_id,date,amount\na,2024-01-01,5\n")
        with pytest.raises(Exception, match="The column “amount” is mapped to both amount and tax") as refused:
            run(tmp_path, path, "--map", "amount=amount", "--map", "tax=amount", preset="generic")
        assert refused.value.returncode == 2

    def test_a_field_for_two_columns_is_refused_by_name(self, tmp_path):
        path = written(tmp_path, "customer_id,date,amount,net\na,2024-01-01,5,6\n")
        with pytest.raises(Exception, match="The field “amount” is mapped to both amount and net"):
            run(tmp_path, path, "--map", "amount=amount", "--map", "amount=net", preset="generic")

    def test_a_mapped_column_is_nothing_else_besides(self, tmp_path):
        path = written(tmp_path, "customer_id,date,amount,name\na,2024-01-01,5,Ann\n")
        run(tmp_path, path, "--map", "product=name", preset="generic")
        assert (Customer.objects.get().name, OrderLine.objects.get().product.sku) == ("", "Ann")
