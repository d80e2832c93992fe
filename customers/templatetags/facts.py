"""Quantities and prices of order lines, which have more decimals than amounts."""

from decimal import Decimal

from django import template
from django.utils import formats

from core import money
from core.models import Business

register = template.Library()
NOTHING = "\N{EN DASH}"


@register.filter
def quantity(value: Decimal | str | None) -> str:
    """`2` and `1.5`: no zeros that say nothing."""
    if value is None or isinstance(value, str):
        return NOTHING
    text = f"{abs(value.normalize()):f}"
    return money.sign(value) + formats.number_format(text, len(text.partition(".")[2]), force_grouping=True)


@register.filter
def price(value: Decimal | str | None, business: Business) -> str:
    """A unit price in the main unit, with up to four decimals: `$0.0350`, `$12.00`."""
    if value is None or isinstance(value, str):
        return NOTHING
    places = max(len(f"{value.normalize():f}".partition(".")[2]), money.exponent(business.currency))
    return money.text(value.scaleb(money.exponent(business.currency)), business.currency, digits=places)
