"""The demo in a home: loaded by the import, with its settings and sign-ins, and taken away again without a trace."""

from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Sum

from analytics.models import Score
from core.models import Business, Role, Run, User
from crm.demo import accounts, clearing, club_history, history, loading, rows, shop
from crm.management.commands import seed_demo, up
from customers.importing.rows import OrderRow
from customers.models import (
    AcquisitionCost,
    Category,
    Company,
    Cost,
    Customer,
    Email,
    Identity,
    ImportBatch,
    Membership,
    Order,
    OrderLine,
    Phone,
    Product,
    Refund,
    UnitCost,
    UnmatchedReturn,
)
from customers.services import costs, imports, spend
from customers.services.costs import Spent
from customers.services.spend import Spend

UNTIL = date(2025, 6, 30)
SMALL = ["--customers=120", "--years=1", "--seed=2", f"--until={UNTIL}"]
AT = datetime(2025, 7, 1, 8, tzinfo=UTC)
SIZE = loading.Size(customers=120, years=1, seed=2, until=UNTIL)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _short_history_of_points(monkeypatch):
    """What is in it is looked at in test_demo_club."""
    monkeypatch.setattr(club_history, "MONTHS", 2)


def seed(*arguments):
    out = StringIO()
    call_command("seed_demo", *SMALL, *arguments, stdout=out, skip_checks=True)
    return out.getvalue()


def clear():
    out = StringIO()
    call_command("seed_demo", "--clear", stdout=out, skip_checks=True)
    return out.getvalue()


def made():
    return shop.build(customers=120, years=1, seed=2, until=UNTIL)


def make_order(*, source="till", customer="T-1", sku="OWN-1", document="T-100"):
    """An order from somewhere else."""
    row = OrderRow(
        line=2,
        customer=customer,
        at=datetime(2025, 5, 5, 12, tzinfo=UTC),
        day=date(2025, 5, 5),
        sku=sku,
        net_cents=1500,
        unit_price=Decimal(15),
        document=document,
        name="Own Customer",
    )
    imports.load(rows=[row], source=source, at=AT)
    return Order.objects.get(source=source, external_id=document)


def everything():
    """How many rows each table of facts has."""
    models = [Customer, Identity, Email, Phone, Company, Product, Category, Order, OrderLine, Refund, ImportBatch]
    models += [AcquisitionCost, UnitCost, Cost]
    return {model.__name__: model.objects.count() for model in models}


def believed(cursor):
    """How many orders and lines the planner reckons with."""
    cursor.execute("SELECT sum(reltuples) FROM pg_class WHERE relname IN ('customers_order', 'customers_orderline')")
    return cursor.fetchone()[0]


class TestSeed:
    def test_totals_are_the_shop_s(self):
        seed()
        sales = made().sales
        assert Customer.objects.count() == 120
        assert Order.objects.count() == len(sales)
        assert Order.objects.aggregate(net=Sum("net_cents"))["net"] == sum(sale.net for sale in sales) * 100
        assert Refund.objects.count() == sum(len(sale.returns) for sale in sales)
        assert Order.objects.filter(customer=None).count() == sum(sale.buyer is None for sale in sales)

    def test_nothing_is_rejected_and_returns_find_their_orders(self):
        row = loading.prepare_business()
        lines = rows.order_rows(made(), zone=row.zone, exponent=2)
        report = loading.load(shop=made(), business=row, size=SIZE, at=AT)
        assert report.rejected == 0
        assert set(UnmatchedReturn.objects.values_list("reason", flat=True)) <= {UnmatchedReturn.Reason.GUEST}
        assert report.imported == len(lines)
        assert report.refund_lines + report.unmatched_returns == sum(line.is_return for line in lines)

    def test_people_are_as_invented(self):
        seed()
        for person in made().people[:20]:
            customer = Identity.objects.get(source="demo", external_id=person.external_id).customer
            assert (customer.name, customer.city, customer.channel) == (person.name, person.city, person.channel)
            assert {email.address for email in customer.emails.all()} == set(person.emails)

    def test_companies_have_terms(self):
        seed("--customers=400")
        assert Company.objects.filter(source="demo").exists()
        assert not Company.objects.filter(payment_terms_days=None).exists()

    def test_lines_keep_the_cost_of_their_day(self):
        seed()
        assert not OrderLine.objects.filter(unit_cost=None).exists()
        assert Product.objects.filter(unit_price=None).count() == 0

    def test_twice_changes_nothing(self):
        seed()
        before = everything()
        assert "0 orders new" in seed()
        assert everything() | {"ImportBatch": 0} == before | {"ImportBatch": 0}

    def test_another_seed_replaces_the_shop(self):
        seed()
        assert "Replacing" in seed("--seed=3", "--customers=80")
        assert Customer.objects.count() == 80

    def test_a_cut_off_start_is_replaced(self):
        row = loading.prepare_business()
        imports.load_people(rows=rows.person_rows(made()), source="demo", at=AT)
        assert loading.loaded() == "an unfinished start"
        seed("--customers=80")
        assert (row.is_demo, Customer.objects.count()) == (True, 80)


class TestBusiness:
    def test_an_empty_home_becomes_the_demo_s(self):
        seed()
        row = Business.objects.get()
        assert (row.name, row.currency, row.time_zone, row.is_demo) == (
            "Juniper & Oak",
            "EUR",
            "Europe/Dublin",
            True,
        )

    def test_settings_of_a_home_with_orders_stay(self):
        Business.objects.create(name="Mine", currency="USD", time_zone="Asia/Tokyo")
        make_order()
        seed()
        row = Business.objects.get()
        assert (row.name, row.currency, row.time_zone, row.is_demo) == ("Mine", "USD", "Asia/Tokyo", False)

    def test_settings_that_somebody_chose_stay(self):
        Business.objects.create(name="Mine", currency="USD")
        seed()
        assert Business.objects.get().name == "Mine"

    def test_money_is_whole_in_a_currency_without_cents(self):
        Business.objects.create(name="Mine", currency="JPY")
        seed()
        net = Order.objects.aggregate(net=Sum("net_cents"))["net"]
        assert net == pytest.approx(float(sum(sale.net for sale in made().sales)), rel=0.02)


class TestSignIns:
    def test_one_for_each_role(self, monkeypatch):
        monkeypatch.delenv("DATABASE_URL", raising=False)
        said = seed()
        assert {user.role for user in User.objects.all()} == set(Role)
        assert all(user.check_password(accounts.PASSWORD) for user in User.objects.all())
        assert all(one.email in said and one.email.endswith("@example.com") for one in accounts.SIGN_INS)

    def test_none_on_a_database_of_one_s_own(self, monkeypatch):
        monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/perennial")
        seed()
        assert not User.objects.exists()

    def test_none_where_a_second_factor_is_required(self, monkeypatch, settings):
        monkeypatch.delenv("DATABASE_URL", raising=False)
        settings.STAFF_SECOND_FACTOR_REQUIRED = True
        seed()
        assert not User.objects.exists()

    def test_none_in_somebody_s_home(self, monkeypatch):
        monkeypatch.delenv("DATABASE_URL", raising=False)
        make_order()
        seed()
        assert not User.objects.exists()

    def test_an_own_account_of_that_address_stays(self):
        mine = User.objects.create_user("admin@example.com", "something else entirely", name="Me")
        accounts.create()
        assert [one.role for one in accounts.sign_ins()] == [one.role for one in accounts.SIGN_INS[1:]]
        accounts.remove()
        assert User.objects.get() == mine


class TestClear:
    def test_nothing_is_left(self, monkeypatch):
        monkeypatch.delenv("DATABASE_URL", raising=False)
        seed()
        said = clear()
        assert said.startswith("Removed 120 customers")
        assert "5 accounts" in said
        assert set(everything().values()) == {0}
        assert not User.objects.exists()
        assert not Business.objects.exists()

    def test_what_others_spent_stays(self):
        spend.write(cells={("radio", date(2025, 1, 1)): Spend(amount_cents=7, note="Fair")})
        make_order()
        seed()
        assert AcquisitionCost.objects.filter(channel="social").exists()
        clear()
        assert AcquisitionCost.objects.get().channel == "radio"

    def test_what_was_spent_on_a_customer_goes_with_her(self):
        seed()
        told = Spent(source="t", external_id="1", customer_id=Customer.objects.first().pk, spent_on=UNTIL, kind="sms")
        costs.record(costs=[told])
        clear()
        assert not Cost.objects.exists()

    def test_data_of_others_are_as_before(self):
        make_order()
        before = everything()
        seed()
        clear()
        assert everything() == before
        assert Order.objects.get().lines.get().product.sku == "OWN-1"

    def test_a_product_that_others_sold_stays(self):
        seed()
        make_order(sku="CON-PAPER")
        clear()
        assert Product.objects.get().sku == "CON-PAPER"
        assert Category.objects.count() == 1

    def test_a_customer_known_from_elsewhere_stays(self):
        seed()
        merged = Identity.objects.get(source="demo", external_id="C10001").customer
        Identity.objects.create(customer=merged, source="till", external_id="T-9")
        order = make_order(customer="T-9")
        clear()
        assert Customer.objects.get() == merged == order.customer
        assert merged.identities.get().source == "till"
        assert merged.orders.get() == order

    def test_others_keep_the_settings(self):
        seed()
        make_order()
        clear()
        row = Business.objects.get()
        assert (row.time_zone, row.is_demo) == ("Europe/Dublin", False)

    def test_without_a_demo_it_says_so(self):
        make_order()
        before = everything()
        assert "nothing was removed" in clear()
        assert everything() == before

    def test_and_seed_again(self):
        said = seed()
        clear()
        assert seed() == said


class TestHistory:
    def test_days_are_month_ends_and_the_last_two(self):
        days = history.days(date(2025, 6, 18))
        assert len(days) == 15
        assert days[0] == date(2024, 5, 31)
        assert days[-3:] == [date(2025, 5, 31), date(2025, 6, 17), date(2025, 6, 18)]

    def test_days_at_a_month_end_are_named_once(self):
        assert history.days(date(2025, 7, 1))[-2:] == [date(2025, 6, 30), date(2025, 7, 1)]
        assert len(history.days(date(2025, 7, 1))) == 14

    def test_no_night_before_the_first_order(self):
        assert history.due(UNTIL) == []
        make_order()
        assert history.due(UNTIL) == [date(2025, 5, 31), date(2025, 6, 29), UNTIL]


@pytest.mark.django_db(transaction=True)
class TestPlanner:
    def test_tables_believed_empty_are_looked_at_again(self):
        """Else the second shop takes minutes: each line would be compared with each order."""
        seed()
        clear()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE customers_order, customers_orderline")
            assert believed(cursor) == 0
            seed()
            assert believed(cursor) > 0


@pytest.mark.django_db(transaction=True)
class TestNights:
    def test_they_run_and_go_with_the_demo(self, monkeypatch):
        monkeypatch.setattr(history, "MONTHS", 2)
        seed("--nights")
        runs = Run.objects.filter(state=Run.State.DONE).order_by("as_of")
        assert [run.as_of for run in runs] == [date(2025, 4, 30), date(2025, 5, 31), date(2025, 6, 29), UNTIL]
        assert Run.objects.get(is_current=True).as_of == UNTIL
        assert Score.objects.filter(run__as_of=UNTIL).count() > 90
        assert history.run_nights(until=UNTIL) == 0
        said = clear()
        assert "4 nights" in said
        assert not Run.objects.exists()
        assert not Score.objects.exists()
        assert not Membership.objects.exists()

    def test_nights_about_others_stay(self, monkeypatch):
        monkeypatch.setattr(history, "MONTHS", 0)
        make_order()
        seed("--nights")
        clear()
        assert Run.objects.filter(is_current=True).exists()
        assert {score.customer for score in Score.objects.all()} == {Customer.objects.get()}


class TestUp:
    def test_an_empty_home_wants_the_demo(self):
        assert up.wants_demo()

    def test_a_demo_without_a_night_wants_to_be_finished(self):
        seed()
        assert up.wants_demo()

    def test_a_home_of_one_s_own_does_not(self):
        make_order()
        assert not up.wants_demo()


class TestArguments:
    def test_a_day_that_is_not_over_is_refused(self):
        with pytest.raises(CommandError, match="not over yet"):
            seed("--until=2999-01-01")

    @pytest.mark.parametrize("value", ["0", "-1", "many", "1e9", "²"])
    def test_a_number_that_is_none_is_refused(self, value):
        with pytest.raises(CommandError, match="whole number"):
            seed(f"--customers={value}")

    def test_counts_are_read(self):
        assert seed_demo.between(1, 20)("20") == 20
        assert str(clearing.Removed(customers=1, companies=1, orders=2000)) == "1 customer, 1 company, 2,000 orders"
