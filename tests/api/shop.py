"""Bodies of requests as an integration would send them: a test names what it changes."""

from datetime import UTC, datetime
from decimal import Decimal

PLACED = "2026-03-01T12:30:00+00:00"
AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
MUG = {"sku": "MUG-1", "name": "Mug", "quantity": 2, "unit_price": "9.95", "unit_cost": "4.10"}
TEA = {"sku": "TEA-7", "quantity": "0.5", "unit_price": "24.00", "discount": "1.00"}
ADA = {"source": "shop", "external_id": "c-1", "email": "ada@example.com", "name": "Ada"}


def order(**changes):
    return {"customer": ADA, "placed_at": PLACED, "lines": [MUG, TEA]} | changes


def line(**changes):
    return order(lines=[MUG | changes])


def item(number, **changes):
    return {"source": "shop", "external_id": str(number)} | order(**changes)


def url(external_id="1", source="shop"):
    return f"/api/v1/orders/{source}/{external_id}/"


def amount(text):
    return Decimal(text)
