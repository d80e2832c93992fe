"""Putting the demo shop into a home, by way of the import."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db import connection, transaction

from core import money
from core.models import Business
from crm.demo import agreeing, catalogue, rows, spending
from crm.demo.clearing import SOURCE
from crm.demo.facts import Firm, Shop
from customers.models import AcquisitionCost, Company, Customer, Identity, ImportBatch, Order, Product, UnitCost
from customers.services import imports, spend
from customers.services.reports import Report
from customers.services.spend import Spend

NAME, CURRENCY, TIME_ZONE = "Juniper & Oak", "EUR", "Europe/Dublin"
SEED: Final = 2
SETTINGS: Final = {"name": NAME, "currency": CURRENCY, "time_zone": TIME_ZONE}


@dataclass(frozen=True)
class Size:
    """What makes a demo shop the one it is."""

    customers: int
    years: int
    seed: int
    until: date

    @property
    def label(self) -> str:
        return f"{self.customers:,} customers over {self.years} years until {self.until}, seed {self.seed}"


def loaded() -> str:
    """The label of the demo shop that is here, "" for none. One whose loading was cut off says so."""
    batch = ImportBatch.objects.filter(source=SOURCE, kind="orders").order_by("-id").first()
    if batch is None and not Identity.objects.filter(source=SOURCE).exists():
        return ""
    return batch.files[0] if batch and batch.files else "an unfinished start"


def prepare_business() -> Business:
    """The settings row. An empty home gets the demo's; where others have customers or orders it stays as it is."""
    business, is_new = Business.objects.get_or_create(id=1)
    if business.is_demo or Customer.objects.exists() or Order.objects.exists():
        return business
    if not is_new and business.name != Business().name:
        return business
    Business.objects.filter(pk=1).update(is_demo=True, **SETTINGS)
    business.refresh_from_db()
    return business


def load(*, shop: Shop, business: Business, size: Size, at: datetime) -> Report:
    """People first, so that each order finds its customer with the channel that he or she came by."""
    imports.load_people(rows=rows.person_rows(shop), source=SOURCE, at=at)
    tell_planner()
    lines = rows.order_rows(
        shop,
        zone=business.zone,
        exponent=money.exponent(business.currency),
        with_tax=not business.prices_include_tax,
    )
    report = imports.load(rows=lines, source=SOURCE, at=at)
    agree_terms({person.firm.name: person.firm for person in shop.people if person.firm})
    agreeing.agree(shop=shop, business=business)
    price(shop)
    spend_on(shop, business=business, seed=size.seed)
    ImportBatch.objects.filter(source=SOURCE, kind="orders").update(files=[size.label])
    return report


def tell_planner() -> None:
    """Until the planner knows of the people, it looks through all of them for each order.

    Only of the people: told that a table is empty which is about to be filled, it would plan for one row.
    """
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers_customer, customers_identity")


@transaction.atomic
def agree_terms(firms: dict[str, Firm]) -> None:
    """What a file of people does not say of a company: its tax number and contract."""
    companies = list(Company.objects.filter(source=SOURCE, name__in=firms).order_by("id"))
    for company in companies:
        firm = firms[company.name]
        company.tax_number = firm.tax_number
        company.payment_terms_days = firm.payment_terms_days
        company.contract_starts_on = firm.contract_starts_on
        company.contract_ends_on = firm.contract_ends_on
    fields = ["tax_number", "payment_terms_days", "contract_starts_on", "contract_ends_on"]
    Company.objects.bulk_update(companies, fields, batch_size=500)


def spend_on(shop: Shop, *, business: Business, seed: int) -> None:
    """Acquisition costs and unit costs. Where others have orders, what they wrote down stays as it is."""
    exponent = money.exponent(business.currency)
    known = set(AcquisitionCost.objects.values_list("channel", "month"))
    told = spending.spend(shop, seed=seed)
    spend.write(
        cells={
            cell: Spend(amount_cents=amount * 10**exponent, note=spending.NOTE)
            for cell, amount in told.items()
            if cell not in known
        }
    )
    if business.is_demo and not UnitCost.objects.exists():
        spend.set_unit_costs(unit_cents=spending.unit_cents(exponent))


@transaction.atomic
def price(shop: Shop) -> None:
    """Today's price list, for the products that came with the demo; orders keep the prices and costs of their days."""
    items = {item.sku: item for item in shop.items}
    products = list(Product.objects.filter(batch__source=SOURCE, sku__in=items).order_by("id"))
    for product in products:
        product.unit_price = catalogue.price_on(items[product.sku], shop.until, shop.opened_on)
        product.unit_cost = catalogue.cost_on(items[product.sku], shop.until, shop.opened_on)
    Product.objects.bulk_update(products, ["unit_price", "unit_cost"], batch_size=500)
