"""`costs`: what was spent on customers, told in batches by whoever spends it."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Final

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django_filters import filters
from django_filters.filterset import FilterSet
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core import money
from core.api.errors import Conflict
from core.api.fields import Amount, Id, Text, Whole
from core.api.filters import IdFilter, OneOf
from core.api.serializers import StrictSerializer
from core.api.views import ListView
from customers.api.orders import taken
from customers.api.values import Quantity
from customers.models import COUNTED, Cost, CostKind, Identity
from customers.services import costs
from customers.services.costs import Key, Spent

MOST_COSTS: Final = 1_000
FIRST_YEAR: Final = 1900
KINDS: Final = [kind.value for kind in CostKind if kind not in COUNTED]
ITEM: Final = {
    "source": "mailer",
    "external_id": "send-77",
    "customer": {"source": "shop", "external_id": "c-1"},
    "kind": "email",
    "spent_on": "2026-03-01",
    "quantity": "1",
    "unit_cost": "0.0004",
}
QUANTITY_SCHEMA: Final = {
    "oneOf": [{"type": "string", "pattern": r"^-?[0-9]{1,10}(\.[0-9]{1,3})?$"}, {"type": "number"}],
    "example": "1",
}


@extend_schema_field(QUANTITY_SCHEMA)
class SignedQuantity(Quantity):
    """How many; below zero takes an earlier cost back."""

    def __init__(self, **options: Any) -> None:
        super().__init__(least=None, **options)

    def to_internal_value(self, data: Any) -> Decimal:
        value = super().to_internal_value(data)
        if value <= -(10**10):
            self.fail("range")
        return value


class UnitCents(Amount):
    """A cost in the main unit outside, in minor units with four decimals inside: a message is less than a cent."""

    def described(self, *, taken: bool) -> dict[str, Any]:
        text = {"type": "string", "pattern": r"^[0-9]{1,10}(\.[0-9]{1,7})?$", "example": "0.0004"}
        number = {"type": "number", "minimum": 0, "maximum": 10**7}
        return {"oneOf": [text, number], "example": "0.0004"} if taken else text

    def to_internal_value(self, data: Any) -> Decimal:
        exponent = money.exponent(self.currency)
        value = self.read(data, places=exponent + 4).scaleb(exponent)
        if value >= 10**10:
            self.fail("range")
        return value

    def to_representation(self, value: Decimal) -> str:
        return f"{value.scaleb(-money.exponent(self.currency)).normalize():f}"


class PastDay(serializers.DateField):
    """A day that has come, in the business's time zone."""

    default_error_messages: ClassVar = {
        "future": _lazy("This is in the future."),
        "year": _lazy("The year is not between 1900 and 2199."),
    }

    def to_internal_value(self, value: Any) -> date:
        if not isinstance(value, str):
            self.fail("invalid", format="YYYY-MM-DD")
        day = super().to_internal_value(value)
        if day.year < FIRST_YEAR:
            self.fail("year")
        if day > timezone.localdate(timezone=self.context["request"].business.zone):
            self.fail("future")
        return day


class SpentFor(StrictSerializer):
    """A customer by a source's name and the id there."""

    source = Text(max_length=60)  # type: ignore[assignment]
    external_id = Text(max_length=200)


class CostIn(StrictSerializer):
    """What was spent on a customer. `unit_cost`: without one, what one of the kind costs by the settings."""

    source = Text(max_length=60)  # type: ignore[assignment]
    external_id = Text(max_length=200)
    customer = SpentFor()
    kind = serializers.ChoiceField(choices=KINDS)
    spent_on = PastDay(help_text="In the business's time zone.")
    quantity = SignedQuantity(required=False, help_text="Without one: 1. Below zero takes an earlier cost back.")
    unit_cost = UnitCents(required=False)


@extend_schema_serializer(examples=[OpenApiExample("A message", value={"costs": [ITEM]}, request_only=True)])
class CostsIn(StrictSerializer):
    costs = CostIn(many=True, allow_empty=False, max_length=MOST_COSTS)  # type: ignore[call-arg]


class CostsOut(StrictSerializer):
    created = Whole()
    unchanged = Whole()


class CostOut(StrictSerializer):
    id = Id(source="pk")
    source = Text()  # type: ignore[assignment]
    external_id = Text()
    customer = Id(source="customer_id")
    kind = Text()
    spent_on = serializers.DateField()
    quantity = SignedQuantity()
    unit_cost = UnitCents(source="unit_cents")


class CostFilter(FilterSet):
    customer = IdFilter(field_name="customer_id", label="The customer's id.")
    source = filters.CharFilter(label="The system that told it.")
    kind = OneOf(*KINDS, label="What it was spent on.")


class CostList(ListView):
    """Costs of single customers, the ones that were told last first."""

    serializer_class = CostOut
    filterset_class = CostFilter
    queryset = Cost.objects.all()

    @extend_schema(operation_id="costs_create", request=CostsIn, responses={200: CostsOut})
    def post(self, request: Request) -> Response:
        """Up to 1,000 costs, all or none. The same cost again changes nothing; other facts under its id are refused:
        a cost is never edited, another one with a quantity below zero takes it back.
        """
        items = taken(CostsIn(data=request.data, context=self.get_serializer_context()))["costs"]
        known = _customers(items)
        told = [_spent(item, known) for item in items]
        _refuse_twice([cost.key for cost in told])
        try:
            created = costs.record(costs=told)
        except costs.TooMuch as error:
            raise ValidationError({"costs": _too_much(error.key, told)}) from None
        except costs.ToldOtherwise as error:
            message = _("These are known with other facts: %s.") % ", ".join(":".join(key) for key in error.keys[:10])
            raise Conflict(message, code="told_otherwise") from None
        return Response({"created": created, "unchanged": len(told) - created})


def _too_much(key: Key, told: Sequence[Spent]) -> list[dict[str, Any]]:
    detail = [ErrorDetail(_("The amount is too large."), code="range")]
    return [{"quantity": detail} if cost.key == key else {} for cost in told]


def _customers(items: Sequence[Mapping[str, Any]]) -> dict[Key, int]:
    """The customers by source and id there. Raises ValidationError for those whom nobody knows."""
    wanted = [(item["customer"]["source"], item["customer"]["external_id"]) for item in items]
    rows = Identity.objects.filter(
        source__in={source for source, _id in wanted}, external_id__in={name for _source, name in wanted}
    )
    known = {(row.source, row.external_id): row.customer_id for row in rows}
    nobody = [ErrorDetail(_("There is no such customer."), code="does_not_exist")]
    errors = [{} if key in known else {"customer": {"external_id": nobody}} for key in wanted]
    if any(errors):
        raise ValidationError({"costs": errors})
    return known


def _spent(item: Mapping[str, Any], known: Mapping[Key, int]) -> Spent:
    return Spent(
        source=item["source"],
        external_id=item["external_id"],
        customer_id=known[item["customer"]["source"], item["customer"]["external_id"]],
        spent_on=item["spent_on"],
        kind=item["kind"],
        quantity=item.get("quantity", Decimal(1)),
        unit_cents=item.get("unit_cost"),
    )


def _refuse_twice(keys: Sequence[Key]) -> None:
    """Raises ValidationError for an id that stands twice in the batch."""
    again = [ErrorDetail(_("The same cost stands twice in this batch."), code="duplicate")]
    first = {key: place for place, key in reversed(list(enumerate(keys)))}
    errors = [{} if first[key] == place else {"external_id": again} for place, key in enumerate(keys)]
    if any(errors):
        raise ValidationError({"costs": errors})
