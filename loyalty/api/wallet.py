"""`wallet/{customer}`: the codes of a customer, on a basket the one that saves most first; `offers`: what runs."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.fields import Id, Moment, Money, Text, Whole
from core.api.serializers import StrictSerializer
from core.api.views import ApiView, ListView
from customers.models import Customer
from loyalty.api.codes import BASKET, BasketLineIn, purchase_of
from loyalty.api.people import who
from loyalty.baskets import MOST_LINES, BadBasket
from loyalty.models import Offer
from loyalty.selectors import basket_lines
from loyalty.selectors.wallet import Ticket, wallet


@extend_schema_serializer(examples=[OpenApiExample("A basket", value={"basket": BASKET}, request_only=True)])
class WalletIn(StrictSerializer):
    basket = BasketLineIn(many=True, allow_empty=False, max_length=MOST_LINES)  # type: ignore[call-arg]
    shipping = Money(required=False)


class TicketOut(StrictSerializer):
    code = Text()
    offer = Id()
    name = Text()
    headline = Text(help_text="What comes off, in a few words.")
    terms = serializers.ListField(child=Text(), help_text="Sentences for the customer.")
    saved = Money(allow_null=True, help_text="On the basket; null without one, or when it cannot be used.")
    refusal = Text(allow_null=True, help_text="The code of the reason that it cannot be used now.")
    reason = Text(help_text="The same for people; empty when it can be used.")


class WalletOut(StrictSerializer):
    codes = TicketOut(many=True)


class WalletDetail(ApiView):
    serializer_class = WalletOut

    @extend_schema(responses={200: WalletOut})
    def get(self, request: Request, pk: int) -> Response:
        """All codes that the customer has, those that work now first."""
        return self._answer(request, pk)

    @extend_schema(request=WalletIn, responses={200: WalletOut})
    def post(self, request: Request, pk: int) -> Response:
        """What the customer can use on this basket, the code that saves most first. Nothing is used."""
        serializer = WalletIn(data=request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        return self._answer(request, pk, serializer.validated_data)

    def _answer(self, request: Request, pk: int, data: dict[str, Any] | None = None) -> Response:
        customer, business = get_object_or_404(Customer, pk=who(pk)), request.business  # type: ignore[attr-defined]
        try:
            items = purchase_of(data).items if data else None
            lines = basket_lines.read(items, business=business) if items else None
        except BadBasket as problem:
            raise ValidationError({"basket": [ErrorDetail(str(problem), code="bad_basket")]}) from None
        shipping_cents = (data or {}).get("shipping", 0)
        tickets = wallet(customer.pk, at=timezone.now(), business=business, lines=lines, shipping_cents=shipping_cents)
        body = {"codes": [_told(ticket) for ticket in tickets]}
        return Response(WalletOut(body, context=self.get_serializer_context()).data)


def _told(ticket: Ticket) -> dict[str, Any]:
    return {
        "code": ticket.code.shown,
        "offer": ticket.offer.pk,
        "name": ticket.offer.name,
        "headline": ticket.headline,
        "terms": ticket.terms,
        "saved": ticket.saved_cents if ticket.applied else None,
        "refusal": ticket.refused.code if ticket.refused else None,
        "reason": str(ticket.refused or ""),
    }


class OfferOut(StrictSerializer):
    id = Id(source="pk")
    name = Text()
    state = serializers.ChoiceField(choices=Offer.State.choices)
    kind = serializers.ChoiceField(choices=Offer.Kind.choices)
    starts_at = Moment(allow_null=True)
    ends_at = Moment(allow_null=True)
    used = Whole()
    spent = Money(source="spent_cents")
    budget = Money(source="budget_cents", allow_null=True)


class OfferList(ListView):
    """Offers with what they were used and cost, the newest first."""

    serializer_class = OfferOut
    queryset = Offer.objects.all()
