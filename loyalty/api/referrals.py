"""`referrals`: claiming a code for a new customer, and what became of it."""

from typing import Any, Final

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django_filters import filters
from django_filters.filterset import FilterSet
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.errors import Conflict
from core.api.fields import Id, Moment, Text, Whole
from core.api.filters import IdFilter
from core.api.idempotent import idempotent
from core.api.serializers import StrictSerializer
from core.api.views import ApiView, ListView
from customers.api.orders import taken
from customers.models import Customer
from loyalty import codes
from loyalty.api.people import who
from loyalty.models import Referral
from loyalty.referral_refusals import Refused
from loyalty.services import referrals

EXAMPLE: Final = {
    "id": "5",
    "status": "held",
    "reason": "similar_email",
    "code": "7K3M-0QXR-W8ZD-41TN",
    "advocate": "12",
    "friend": "42",
    "claimed_at": "2026-03-01T12:00:00Z",
    "order": None,
    "due_at": None,
    "advocate_points": 0,
    "friend_points": 0,
}


@extend_schema_serializer(
    examples=[OpenApiExample("One that a person has to look at", value=EXAMPLE, response_only=True)]
)
class ReferralOut(StrictSerializer):
    id = Id(source="pk")
    status = serializers.ChoiceField(choices=Referral.State.choices, source="state")
    reason = serializers.SerializerMethodField(help_text="Why a person has to look at it, or had to; else null.")
    code = serializers.SerializerMethodField()
    advocate = Id(source="advocate_id")
    friend = Id(source="friend_id")
    claimed_at = Moment()
    order = Id(source="order_id", allow_null=True, help_text="The friend's order that counted.")
    due_at = Moment(allow_null=True, help_text="When the points become active.")
    advocate_points = Whole(help_text="0 before the friend's order.")
    friend_points = Whole()

    def get_reason(self, referral: Referral) -> str | None:
        return referral.reasons[0] if referral.reasons else None

    def get_code(self, referral: Referral) -> str:
        return codes.shown(referral.code.code)


@extend_schema_serializer(examples=[OpenApiExample("A new customer", value={"customer": "42"}, request_only=True)])
class ClaimIn(StrictSerializer):
    customer = Id(help_text="The friend.")


@extend_schema_serializer(examples=[OpenApiExample("An advocate", value={"customer": "42"}, request_only=True)])
class CodeIn(StrictSerializer):
    customer = Id(help_text="The advocate.")


class CodeOut(StrictSerializer):
    code = Text()
    starts_at = Moment()
    ends_at = Moment(allow_null=True)


class ReferralFilter(FilterSet):
    status = filters.ChoiceFilter(choices=Referral.State.choices, field_name="state", label="What became of it.")
    advocate = IdFilter(field_name="advocate", label="Whose code it was.")
    friend = IdFilter(field_name="friend", label="Who came by it.")


class ReferralList(ListView):
    serializer_class = ReferralOut
    filterset_class = ReferralFilter
    queryset = Referral.objects.select_related("code")

    def get(self, request: Request) -> Response:
        """Referrals, the newest first."""
        return super().get(request)


class ReferralCodes(ApiView):
    serializer_class = CodeOut

    @extend_schema(request=CodeIn, responses=CodeOut, operation_id="referrals_code")
    def post(self, request: Request) -> Response:
        """The customer's own code, made when it is first asked for."""
        asked: dict[str, Any] = taken(CodeIn(data=request.data, context=self.get_serializer_context()))
        customer = get_object_or_404(Customer, pk=who(asked["customer"]))
        code = referrals.code_for(customer_id=customer.pk, at=timezone.now())
        return Response(
            self.get_serializer(
                {"code": codes.shown(code.code), "starts_at": code.starts_at, "ends_at": code.ends_at}
            ).data
        )


class ReferralClaim(ApiView):
    serializer_class = ReferralOut

    @extend_schema(request=ClaimIn, responses={201: ReferralOut}, operation_id="referrals_claim")
    @idempotent(required=False)
    def post(self, request: Request, code: str) -> Response:
        """Note that a new customer came by this code. 409 says by its `code` why not."""
        asked: dict[str, Any] = taken(ClaimIn(data=request.data, context=self.get_serializer_context()))
        friend = get_object_or_404(Customer, pk=who(asked["customer"]))
        try:
            made = referrals.claim(text=code, customer_id=friend.pk, at=timezone.now())
        except Refused as refused:
            raise Conflict(str(refused), code=refused.code) from None
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)
