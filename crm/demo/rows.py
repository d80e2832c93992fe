"""The shop as rows of an import: the demo goes the same way into the tables as anybody's file."""

from collections.abc import Iterator
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from crm.demo.facts import Line, Sale, Shop
from customers.importing.rows import OrderRow, PersonRow


def person_rows(shop: Shop) -> Iterator[PersonRow]:
    for number, person in enumerate(shop.people):
        yield PersonRow(
            line=number + 2,
            customer=person.external_id,
            name=person.name,
            emails=tuple(person.emails),
            phones=(person.phone,) if person.phone else (),
            company=person.firm.name if person.firm else "",
            country=person.country,
            city=person.city,
            street=person.street,
            postcode=person.postcode,
            locale=person.locale,
            time_zone=person.time_zone,
            channel=person.channel,
        )


def order_rows(shop: Shop, *, zone: ZoneInfo, exponent: int, with_tax: bool = True) -> list[OrderRow]:
    """Every line of every order and return, numbered as in a file. `exponent`: decimals of the currency.

    The shop's prices are net. Where the business's are not, the rows say nothing of tax, so that none is taken off.
    """
    rows = [
        row
        for sale in shop.sales
        for row in (*lines_of(shop, sale, zone, exponent), *returned_lines(shop, sale, zone, exponent))
    ]
    return [
        row._replace(line=number + 2, tax_cents=row.tax_cents if with_tax else None) for number, row in enumerate(rows)
    ]


def lines_of(shop: Shop, sale: Sale, zone: ZoneInfo, exponent: int) -> Iterator[OrderRow]:
    for line in sale.lines:
        yield line_row(line, sale.placed_at, zone, exponent)._replace(
            customer=buyer(shop, sale),
            document=sale.external_id,
            status=sale.status,
            channel=sale.channel,
            tax_cents=minor(sale.tax, exponent),
        )


def returned_lines(shop: Shop, sale: Sale, zone: ZoneInfo, exponent: int) -> Iterator[OrderRow]:
    """What is paid back is the line's net by pieces; a line that comes back whole is paid back whole."""
    for back in sale.returns:
        for position, quantity in back.lines:
            line = sale.lines[position]
            yield line_row(line, back.returned_at, zone, exponent)._replace(
                customer=buyer(shop, sale),
                document=back.external_id,
                of_order=sale.external_id,
                is_return=True,
                quantity=Decimal(quantity),
                net_cents=minor(line.net * quantity / line.quantity, exponent),
                discount_cents=0,
            )


def line_row(line: Line, at: datetime, zone: ZoneInfo, exponent: int) -> OrderRow:
    """The time, the product and the money of a line. Whose it is, the callers say."""
    return OrderRow(
        line=0,
        customer="",
        at=at.replace(tzinfo=zone),
        day=at.date(),
        sku=line.item.sku,
        net_cents=minor(line.net, exponent),
        quantity=Decimal(line.quantity),
        unit_price=line.unit_price,
        discount_cents=minor(line.discount, exponent),
        unit_cost=line.unit_cost,
        kind=line.item.kind,
        counts=line.item.kind == "goods",
        product=line.item.name,
        category=line.item.category,
    )


def buyer(shop: Shop, sale: Sale) -> str:
    return "" if sale.buyer is None else shop.people[sale.buyer].external_id


def minor(amount: Decimal, exponent: int) -> int:
    return int(amount.scaleb(exponent).quantize(Decimal(1), ROUND_HALF_UP))
