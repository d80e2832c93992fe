"""What the demo shop spends to win customers by each channel, and what it costs it to serve them."""

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Final

from crm.demo import dice
from crm.demo.facts import Sale, Shop

NOTE: Final = "Demo"
# A head and a month in the main unit: what an advertisement, a commission or a voucher costs. The rest is for nothing.
A_HEAD: Final = {"social": 15.5, "referral": 6.0, "marketplace": 7.5, "newsletter": 1.2}
A_MONTH: Final = {"organic search": 320.0, "social": 150.0, "newsletter": 35.0}
UNIT_COSTS: Final = {"order": "3.1", "return": "4.4", "email": "0.0009", "sms": "0.062", "case": "5.5"}
SWING: Final = 0.25  # by how much a month may cost more or less than it should
STEP: Final = 5  # people round what they spend


def spend(shop: Shop, *, seed: int) -> dict[tuple[str, date], int]:
    """Main units by channel and month, as somebody would write them down at the end of each month."""
    won = Counter((sale.channel, sale.placed_at.date().replace(day=1)) for sale in _first_sales(shop))
    random = dice.stream(seed, "spend")
    found = {}
    for month in months(shop):
        for channel in sorted({*A_HEAD, *A_MONTH}):
            should = A_MONTH.get(channel, 0.0) + A_HEAD.get(channel, 0.0) * won[channel, month]
            told = round(should * random.uniform(1 - SWING, 1 + SWING) / STEP) * STEP
            if told:
                found[channel, month] = told
    return found


def _first_sales(shop: Shop) -> list[Sale]:
    """The first paid sale of each customer."""
    first: dict[int, Sale] = {}
    for sale in sorted(shop.sales, key=lambda sale: sale.placed_at):
        if sale.buyer is not None and sale.status == "paid":
            first.setdefault(sale.buyer, sale)
    return list(first.values())


def months(shop: Shop) -> list[date]:
    """The first days of all months from the opening on."""
    span = range(shop.opened_on.year * 12 + shop.opened_on.month - 1, shop.until.year * 12 + shop.until.month)
    return [date(number // 12, number % 12 + 1, 1) for number in span]


def unit_cents(exponent: int) -> dict[str, Decimal]:
    return {kind: Decimal(cost).scaleb(exponent) for kind, cost in UNIT_COSTS.items()}
