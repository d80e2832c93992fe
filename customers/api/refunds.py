"""`orders/{id}/refunds`: what came back, by SKU or by line."""

from collections.abc import Mapping
from typing import Any, Final

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework.exceptions import ErrorDetail, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.fields import Id, Money, Text
from core.api.idempotent import idempotent
from core.api.serializers import StrictSerializer
from core.api.views import ListView
from customers.api.order_shapes import MOST_LINES, RefundOut
from customers.api.orders import taken
from customers.api.values import PastMoment, Quantity, created
from customers.models import Order, Refund
from customers.services import refunds
from customers.services.refunds import Back, TooMuch

BODY: Final = {
    "external_id": "r-1",
    "refunded_at": "2026-03-08T09:00:00+01:00",
    "lines": [{"sku": "MUG-1", "quantity": 1}],
}


class RefundLineIn(StrictSerializer):
    """By `sku` (lines are filled in their order) or by the `line`'s id. Without an amount it is the line's net in
    proportion.
    """

    sku = Text(max_length=100, required=False)
    line = Id(required=False)
    quantity = Quantity(allow_zero=True)
    amount = Money(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("sku" in attrs) == ("line" in attrs):
            raise ValidationError({"sku": [ErrorDetail(_("Name the sku or the line."), code="sku_or_line")]})
        if not attrs["quantity"] and not attrs.get("amount"):
            raise ValidationError({"quantity": [ErrorDetail(_("Say how many or how much."), code="zero")]})
        return attrs


@extend_schema_serializer(examples=[OpenApiExample("One mug", value=BODY, request_only=True)])
class RefundIn(StrictSerializer):
    external_id = Text(max_length=200)
    refunded_at = PastMoment(required=False, help_text="Without one: now.")
    lines = RefundLineIn(many=True, allow_empty=False, max_length=MOST_LINES)  # type: ignore[call-arg]


def whole() -> QuerySet[Refund]:
    return Refund.objects.prefetch_related("lines__line__product")


class RefundList(ListView):
    """The refunds of an order, the ones that were recorded last first."""

    serializer_class = RefundOut
    queryset = Refund.objects.none()

    def get(self, request: Request, pk: int) -> Response:
        self.queryset = whole().filter(order=get_object_or_404(Order, pk=pk))
        return super().get(request)

    @extend_schema(request=RefundIn, responses={200: RefundOut, 201: RefundOut})
    @idempotent(required=False)
    def post(self, request: Request, pk: int) -> Response:
        """Record a refund. 201: it is new. 200: the order has one with this `external_id`, and nothing changed."""
        data = taken(RefundIn(data=request.data, context=self.get_serializer_context()))
        try:
            recorded = refunds.record(
                order_id=pk,
                external_id=data["external_id"],
                refunded_at=data.get("refunded_at") or timezone.now(),
                lines=[_back(line) for line in data["lines"]],
            )
        except Order.DoesNotExist:
            raise NotFound from None
        except TooMuch as error:
            raise ValidationError(_too_much(error, len(data["lines"]))) from None
        body = self.get_serializer(whole().get(pk=recorded.refund.pk)).data
        return Response(body, status=created("created" if recorded.created else "known"))


def _back(data: Mapping[str, Any]) -> Back:
    return Back(
        quantity=data["quantity"], sku=data.get("sku", ""), line_id=data.get("line"), net_cents=data.get("amount")
    )


def _too_much(error: TooMuch, lines: int) -> dict[str, Any]:
    detail = [ErrorDetail(str(error), code="too_much")]
    if error.number is None:
        return {error.field if error.field == "refunded_at" else "lines": detail}
    return {"lines": [{error.field: detail} if number == error.number else {} for number in range(lines)]}
