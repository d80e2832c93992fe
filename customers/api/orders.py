"""`orders`: lists, one, upsert by source and id, and a batch of a thousand."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django_filters import filters
from django_filters.filterset import FilterSet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.filters import IdFilter, MomentFilter
from core.api.views import ApiView, ListView
from customers.api import order_shapes
from customers.api.order_shapes import OrderDetailOut, OrderIn, OrderOut
from customers.api.values import created, named
from customers.models import Order
from customers.services import order_codes, orders
from customers.services.orders import RefundedLine


class OrderFilter(FilterSet):
    customer = IdFilter(field_name="customer_id", label="The customer's id.")
    source = filters.CharFilter(label="The system that the order comes from.")
    status = filters.ChoiceFilter(choices=Order.Status.choices, label="Paid, pending or cancelled.")
    channel = filters.CharFilter(label="Where it was sold.")
    placed_after = MomentFilter(field_name="placed_at", lookup_expr="gte", label="Placed then or later.")
    placed_before = MomentFilter(field_name="placed_at", lookup_expr="lt", label="Placed earlier.")


class OrderList(ListView):
    """Orders, the ones that were recorded last first."""

    serializer_class = OrderOut
    filterset_class = OrderFilter
    queryset = Order.objects.all()


def detailed() -> QuerySet[Order]:
    return Order.objects.prefetch_related("lines__product", "refunds__lines__line__product")


class OrderById(ApiView):
    serializer_class = OrderDetailOut

    def get(self, request: Request, pk: int) -> Response:
        """One order with its lines and refunds."""
        return Response(self.get_serializer(get_object_or_404(detailed(), pk=pk)).data)


class OrderByName(ApiView):
    """An order by the source's name and the id there."""

    serializer_class = OrderDetailOut

    @extend_schema(operation_id="orders_retrieve_by_source")
    def get(self, request: Request, source: str, external_id: str) -> Response:
        """One order with its lines and refunds."""
        order = get_object_or_404(detailed(), source=source, external_id=external_id)
        return Response(self.get_serializer(order).data)

    @extend_schema(request=OrderIn, responses={200: OrderOut, 201: OrderOut})
    def put(self, request: Request, source: str, external_id: str) -> Response:
        """Write the order as it is now. 201: it is new. 200: it is known, and changed if the body differs."""
        data = taken(OrderIn(data=request.data, context=self.get_serializer_context()))
        placed = order_shapes.placed(data, source=named(source, longest=60), external_id=named(external_id))
        try:
            recorded = orders.record_one(placed=placed, business=request.business)  # type: ignore[attr-defined]
        except RefundedLine as error:
            raise ValidationError(lost(error, len(placed.lines))) from None
        if "codes" in data:
            order_codes.keep(entered={recorded.order.pk: data["codes"]})
        body = OrderOut(recorded.order, context=self.get_serializer_context()).data
        return Response(body, status=created(recorded.outcome))


def taken(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    data: dict[str, Any] = serializer.validated_data
    return data


def lost(error: RefundedLine, lines: int) -> dict[str, Any]:
    """The refusal as an error of the line; a line that is left out is an error of them all."""
    detail = [ErrorDetail(str(error), code="refunded_line")]
    if error.position > lines:
        return {"lines": detail}
    return {"lines": [{"quantity": detail} if number == error.position else {} for number in range(1, lines + 1)]}
