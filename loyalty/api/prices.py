"""`prices`: what one customer pays for products, and why."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.fields import Id, Price, Text
from core.api.serializers import StrictSerializer
from core.api.views import ApiView
from customers.api.orders import taken
from loyalty.api.people import who
from loyalty.selectors import prices
from loyalty.selectors.prices import Reason

MOST_SKUS: Final = 100
PRICES: Final = {
    "prices": [
        {"sku": "MUG-1", "list_price": "9.95", "price": "8.96", "reason": "price_list", "price_list": "Gold prices"},
        {"sku": "NO-SUCH", "list_price": None, "price": None, "reason": "unknown", "price_list": None},
    ]
}


class PriceAsked(StrictSerializer):
    customer = Id(required=False, help_text="Without one, the public price.")
    sku = Text(max_length=100)


@extend_schema_serializer(
    examples=[OpenApiExample("Two products", value={"customer": "42", "skus": ["MUG-1", "TEA-7"]}, request_only=True)]
)
class PricesIn(StrictSerializer):
    customer = Id(required=False, help_text="Without one, the public prices.")
    skus = serializers.ListField(child=Text(max_length=100), min_length=1, max_length=MOST_SKUS)


class PriceOut(StrictSerializer):
    sku = Text()
    list_price = Price(allow_null=True, help_text="The public price; null: nobody knows it.")
    price = Price(source="unit_price", allow_null=True, help_text="What this customer pays for one.")
    reason = serializers.ChoiceField(
        choices=[reason.value for reason in Reason],
        help_text="`list`: nothing makes it lower. `price_list`: a price list does. `floor`: one does, as far as its "
        "margin floor lets it. `unknown`: the product, or its public price.",
    )
    price_list = Text(source="price_list.name", default=None, allow_null=True)


@extend_schema_serializer(examples=[OpenApiExample("Prices", value=PRICES, response_only=True)])
class PricesOut(StrictSerializer):
    """In the order in which they were asked for."""

    prices = PriceOut(many=True)


class Prices(ApiView):
    serializer_class = PricesOut
    parameters = frozenset({"customer", "sku"})

    def known_parameters(self, request: Request) -> frozenset[str]:
        return self.parameters if request.method in {"GET", "HEAD"} else frozenset()

    @extend_schema(operation_id="prices_retrieve", parameters=[PriceAsked], responses={200: PricesOut})
    def get(self, request: Request) -> Response:
        """What a customer pays for one piece of a product now, and why."""
        told = {name: value for name, value in request.query_params.items() if value}  # `customer=` names nobody
        asked = self.asked(PriceAsked(data=told))
        return self.told(request, asked, [asked["sku"]])

    @extend_schema(operation_id="prices_of_many", request=PricesIn, responses={200: PricesOut})
    def post(self, request: Request) -> Response:
        """The same for several products at once. Nothing is written."""
        asked = self.asked(PricesIn(data=request.data, context=self.get_serializer_context()))
        return self.told(request, asked, asked["skus"])

    def asked(self, serializer: StrictSerializer) -> Mapping[str, Any]:
        asked = taken(serializer)
        if "customer" not in asked:
            return asked
        try:
            return {**asked, "customer": who(asked["customer"])}
        except Http404:
            told = ErrorDetail(_("There is no such customer."), code="does_not_exist")
            raise ValidationError({"customer": [told]}) from None

    def told(self, request: Request, asked: Mapping[str, Any], skus: Sequence[str]) -> Response:
        business = request.business  # type: ignore[attr-defined]
        found = prices.price_for(asked.get("customer"), skus, at=timezone.now(), business=business)
        return Response(self.get_serializer({"prices": found}).data)
