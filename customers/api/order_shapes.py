"""Orders as JSON: what is taken, and what is answered."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from core import money
from core.api.fields import Id, Moment, Money, Price, Text, Whole
from core.api.serializers import StrictSerializer
from core.models import Business
from customers import places, pricing
from customers.api.values import LARGEST_CENTS, Address, Number, PastMoment, Quantity
from customers.models import Order
from customers.places import Place
from customers.services.buyers import Buyer
from customers.services.orders import Line, Placed

MOST_LINES: Final = 500
MOST_ORDERS: Final = 1_000
MOST_CODES: Final = 10
LONGEST_CODE: Final = 60
ADDRESS: Final = "The postal address is taken whole, with its street, and only while none is known."

BODY: Final = {
    "customer": {"source": "shop", "external_id": "c-1001", "email": "ada@example.com", "name": "Ada Lovelace"},
    "placed_at": "2026-03-01T12:30:00+01:00",
    "status": "paid",
    "lines": [
        {"sku": "MUG-1", "name": "Mug", "quantity": 2, "unit_price": "9.95", "unit_cost": "4.10", "category": "China"},
        {"sku": "TEA-7", "name": "Green tea", "quantity": "0.5", "unit_price": "24.00", "discount": "1.00"},
    ],
    "shipping": "4.90",
    "channel": "web",
}


ORDER: Final = {
    "id": "81",
    "source": "shop",
    "external_id": "1001",
    "customer": "42",
    "status": "paid",
    "placed_at": "2026-03-01T11:30:00Z",
    "channel": "web",
    "net": "30.90",
    "value": "30.90",
    "margin": "16.10",
    "tax": "0.00",
    "shipping": "4.90",
    "fully_refunded_on": None,
}
REFUND: Final = {
    "id": "5",
    "external_id": "r-1",
    "order": "81",
    "refunded_at": "2026-03-08T08:00:00Z",
    "net": "9.95",
    "margin": "5.85",
    "lines": [{"line": "160", "sku": "MUG-1", "quantity": "1", "amount": "9.95"}],
}
LINE: Final = {
    "id": "160",
    "position": 1,
    "sku": "MUG-1",
    "name": "Mug",
    "quantity": "2",
    "unit_price": "9.9500",
    "discount": "0.00",
    "unit_cost": "4.1000",
    "net": "19.90",
    "margin": "11.70",
    "refunded_quantity": "1",
    "refunded": "9.95",
}
DETAIL: Final = {**ORDER, "lines": [LINE], "refunds": [REFUND]}


class BuyerIn(StrictSerializer):
    """Who bought. A customer whom nobody knows by this source and id is made; what is known is not overwritten."""

    source = Text(max_length=60)  # type: ignore[assignment]
    external_id = Text(max_length=200)
    name = Text(max_length=200, required=False, allow_blank=True)
    email = Address(required=False, allow_blank=True)
    phone = Number(required=False, allow_blank=True)
    street = Text(max_length=places.LONGEST_STREET, required=False, allow_blank=True, help_text=ADDRESS)
    postcode = Text(max_length=places.LONGEST_POSTCODE, required=False, allow_blank=True)
    city = Text(max_length=80, required=False, allow_blank=True)
    region = Text(max_length=places.LONGEST_REGION, required=False, allow_blank=True)
    country = Text(max_length=60, required=False, allow_blank=True)


class LineIn(StrictSerializer):
    """What was bought. A product that nobody knows by this SKU is made. Prices are with or without tax, as the
    business's settings say.
    """

    sku = Text(max_length=100)
    name = Text(max_length=300, required=False, allow_blank=True)
    category = Text(max_length=120, required=False, allow_blank=True)
    quantity = Quantity()
    unit_price = Price()
    discount = Money(required=False, help_text="Of the whole line.")
    unit_cost = Price(required=False, allow_null=True, help_text="Without one, the product's or a margin rate.")


@extend_schema_serializer(examples=[OpenApiExample("Two lines", value=BODY, request_only=True)])
class OrderIn(StrictSerializer):
    """An order as it is now, with all its lines. `customer` null: a guest."""

    customer = BuyerIn(allow_null=True)
    placed_at = PastMoment()
    status = serializers.ChoiceField(choices=Order.Status.choices, default=Order.Status.PAID)
    currency = Text(max_length=3, required=False, help_text="Refused when it is not the business's.")
    lines = LineIn(many=True, allow_empty=False, max_length=MOST_LINES)  # type: ignore[call-arg]
    tax = Money(required=False)
    shipping = Money(required=False)
    channel = Text(max_length=60, required=False, allow_blank=True)
    codes = serializers.ListField(
        child=Text(max_length=LONGEST_CODE),
        required=False,
        max_length=MOST_CODES,
        help_text="Codes that the buyer entered. Without the field those that are known stay.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        business: Business = self.context["request"].business
        errors = _money_problems(attrs, business)
        if errors:
            raise ValidationError(errors)
        return attrs


class BatchItemIn(OrderIn):
    source = Text(max_length=60)  # type: ignore[assignment]
    external_id = Text(max_length=200)


def _money_problems(attrs: Mapping[str, Any], business: Business) -> dict[str, Any]:
    errors: dict[str, Any] = {}
    if attrs.get("currency", business.currency) != business.currency:
        text = _("The business's currency is %s.") % business.currency
        errors["currency"] = [ErrorDetail(text, code="other_currency")]
    lines = {
        number: problem
        for number, line in enumerate(attrs["lines"])
        if (problem := _line_problem(line, money.exponent(business.currency)))
    }
    if lines:
        errors["lines"] = [lines.get(number, {}) for number in range(len(attrs["lines"]))]
    return errors


def _line_problem(line: Mapping[str, Any], exponent: int) -> dict[str, list[ErrorDetail]]:
    whole = pricing.line_net(quantity=line["quantity"], unit_price=line["unit_price"], exponent=exponent)
    if whole >= LARGEST_CENTS:
        return {"unit_price": [ErrorDetail(_("The line comes to too much."), code="range")]}
    if line.get("discount", 0) > whole:
        return {"discount": [ErrorDetail(_("The discount is more than the line."), code="range")]}
    return {}


def placed(data: Mapping[str, Any], *, source: str, external_id: str) -> Placed:
    """What a body says, in the service's words."""
    return Placed(
        source=source,
        external_id=external_id,
        buyer=_buyer(data["customer"]) if data["customer"] else None,
        placed_at=data["placed_at"],
        lines=[_line(line) for line in data["lines"]],
        status=data["status"],
        channel=data.get("channel", ""),
        tax_cents=data.get("tax", 0),
        shipping_cents=data.get("shipping", 0),
    )


def _buyer(data: Mapping[str, Any]) -> Buyer:
    told = dict(data)
    return Buyer(place=Place(**{name: told.pop(name, "") for name in Place._fields}), **told)


def _line(data: Mapping[str, Any]) -> Line:
    return Line(
        sku=data["sku"],
        quantity=data["quantity"],
        unit_price=data["unit_price"],
        discount_cents=data.get("discount", 0),
        unit_cost=data.get("unit_cost"),
        name=data.get("name", ""),
        category=data.get("category", ""),
    )


@extend_schema_serializer(examples=[OpenApiExample("An order", value=ORDER, response_only=True)])
class OrderOut(StrictSerializer):
    id = Id(source="pk")
    source = Text()  # type: ignore[assignment]
    external_id = Text()
    customer = Id(source="customer_id", allow_null=True)
    status = serializers.ChoiceField(choices=Order.Status.choices)
    placed_at = Moment()
    channel = Text()
    net = Money(source="net_cents", help_text="All lines, after discounts, without tax and shipping.")
    value = Money(source="value_cents", help_text="The lines that count as order value: goods.")
    margin = Money(source="margin_cents")
    tax = Money(source="tax_cents")
    shipping = Money(source="shipping_cents")
    fully_refunded_on = serializers.DateField(allow_null=True)


class LineOut(StrictSerializer):
    id = Id(source="pk")
    position = Whole()
    sku = Text(source="product.sku")
    name = Text(source="product.name")
    quantity = Quantity()
    unit_price = Price()
    discount = Money(source="discount_cents")
    unit_cost = Price(allow_null=True)
    net = Money(source="net_cents")
    margin = Money(source="margin_cents")
    refunded_quantity = Quantity()
    refunded = Money(source="refunded_cents")


class RefundLineOut(StrictSerializer):
    line = Id(source="line_id")
    sku = Text(source="line.product.sku")
    quantity = Quantity()
    amount = Money(source="net_cents")


@extend_schema_serializer(examples=[OpenApiExample("A refund", value=REFUND, response_only=True)])
class RefundOut(StrictSerializer):
    id = Id(source="pk")
    external_id = Text()
    order = Id(source="order_id")
    refunded_at = Moment()
    net = Money(source="net_cents")
    margin = Money(source="margin_cents")
    lines = RefundLineOut(many=True)


@extend_schema_serializer(examples=[OpenApiExample("An order", value=DETAIL, response_only=True)])
class OrderDetailOut(OrderOut):
    """With its lines and refunds."""

    lines = LineOut(many=True)
    refunds = RefundOut(many=True)
