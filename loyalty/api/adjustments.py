"""`adjustments`: points by hand, and deciding on those that wait for a second person."""

from collections.abc import Callable
from typing import Any, Final

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django_filters import filters
from django_filters.filterset import FilterSet
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.errors import Conflict
from core.api.fields import Id, Moment, Text, Whole
from core.api.filters import IdFilter
from core.api.idempotent import idempotent
from core.api.serializers import StrictSerializer
from core.api.views import ApiView, ListView, refuse_body
from customers.api.orders import taken
from loyalty.models import Adjustment
from loyalty.models.adjustment import LONGEST_REASON
from loyalty.problems import LedgerProblem
from loyalty.services import adjustments

EXAMPLE: Final = {
    "id": "5",
    "customer": "42",
    "points": 9000,
    "reason": "Sorry for the delay",
    "state": "waiting",
    "asked_at": "2026-03-01T12:00:00Z",
    "decided_at": None,
    "answer": "",
}


@extend_schema_serializer(examples=[OpenApiExample("One that waits", value=EXAMPLE, response_only=True)])
class AdjustmentOut(StrictSerializer):
    id = Id(source="pk")
    customer = Id(source="customer_id")
    points = Whole(help_text="Below zero: taken.")
    reason = Text()
    state = serializers.ChoiceField(choices=Adjustment.State.choices)
    asked_at = Moment()
    decided_at = Moment(allow_null=True, help_text="Null while it waits, and where nobody had to decide.")
    answer = Text(help_text="What the second one said.")


@extend_schema_serializer(examples=[OpenApiExample("Too much", value={"answer": "Too much"}, request_only=True)])
class DeclineIn(StrictSerializer):
    answer = Text(max_length=LONGEST_REASON, help_text="Why, for who asked.")


class AdjustmentFilter(FilterSet):
    state = filters.ChoiceFilter(choices=Adjustment.State.choices, label="What became of it.")
    customer = IdFilter(field_name="customer_id", label="Whose points.")


class AdjustmentList(ListView):
    serializer_class = AdjustmentOut
    filterset_class = AdjustmentFilter
    queryset = Adjustment.objects.all()

    def get(self, request: Request) -> Response:
        """Adjustments of points, the newest first."""
        return super().get(request)


class AdjustmentView(ApiView):
    serializer_class = AdjustmentOut

    def decided(self, request: Request, pk: int, decide: Callable[..., Adjustment], **told: str) -> Response:
        """By the key, which counts as whoever made it, too."""
        get_object_or_404(Adjustment, pk=pk)
        try:
            one = decide(adjustment_id=pk, at=timezone.now(), program=request.auth, **told)
        except adjustments.ReasonMissing as problem:
            raise ValidationError({"answer": [ErrorDetail(str(problem), code=problem.code)]}) from None
        except LedgerProblem as problem:
            raise Conflict(str(problem), code=problem.code) from None
        return Response(self.get_serializer(one).data)


class AdjustmentApprove(AdjustmentView):
    @extend_schema(request=None, responses={200: AdjustmentOut}, operation_id="adjustments_approve")
    @idempotent(required=False)
    def post(self, request: Request, pk: int) -> Response:
        """Carry out what waits. Once approved by this key it stays so; 409 says by its `code` why not."""
        refuse_body(request)
        return self.decided(request, pk, adjustments.approve)


class AdjustmentDecline(AdjustmentView):
    @extend_schema(request=DeclineIn, responses={200: AdjustmentOut}, operation_id="adjustments_decline")
    @idempotent(required=False)
    def post(self, request: Request, pk: int) -> Response:
        """Nothing changes, and who asked reads why. Once declined by this key it stays so."""
        asked: dict[str, Any] = taken(DeclineIn(data=request.data, context=self.get_serializer_context()))
        return self.decided(request, pk, adjustments.refuse, **asked)
