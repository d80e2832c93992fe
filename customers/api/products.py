"""`products`: lists, one, upsert by SKU."""

from typing import Any, Final

from django.shortcuts import get_object_or_404
from django_filters import filters
from django_filters.filterset import FilterSet
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.fields import Id, Price, Text
from core.api.serializers import StrictSerializer
from core.api.views import ApiView, ListView
from customers.api.orders import taken
from customers.api.values import created, named
from customers.models import Product
from customers.services import upserts

BODY: Final = {"name": "Mug", "category": "China", "unit_price": "9.95", "unit_cost": "4.10"}


class ProductOut(StrictSerializer):
    id = Id(source="pk")
    sku = Text()
    name = Text()
    kind = serializers.ChoiceField(choices=Product.Kind.choices)
    category = Text(source="category.name", allow_null=True, default=None)
    unit_price = Price(allow_null=True)
    unit_cost = Price(allow_null=True)


@extend_schema_serializer(examples=[OpenApiExample("A mug", value=BODY, request_only=True)])
class ProductIn(StrictSerializer):
    """What is left out stays as it is. A new cost is for orders from now on: their lines keep the cost of the day."""

    name = Text(max_length=300, required=False)
    kind = serializers.ChoiceField(choices=Product.Kind.choices, required=False)
    category = Text(max_length=120, required=False, allow_null=True)
    unit_price = Price(required=False, allow_null=True)
    unit_cost = Price(required=False, allow_null=True)


class ProductFilter(FilterSet):
    category = filters.CharFilter(field_name="category__name", label="The category's name.")
    kind = filters.ChoiceFilter(choices=Product.Kind.choices, label="What it is.")


class ProductList(ListView):
    serializer_class = ProductOut
    filterset_class = ProductFilter
    queryset = Product.objects.select_related("category")

    def get(self, request: Request) -> Response:
        """Products, the newest first."""
        return super().get(request)


class ProductDetail(ApiView):
    serializer_class = ProductOut

    def get(self, request: Request, sku: str) -> Response:
        """One product."""
        return self.answer(get_object_or_404(Product.objects.select_related("category"), sku=sku), status.HTTP_200_OK)

    @extend_schema(request=ProductIn, responses={200: ProductOut, 201: ProductOut})
    def put(self, request: Request, sku: str) -> Response:
        """Write what is told of a product. 201: it is new. 200: it is known, and changed if the body differs."""
        data = taken(ProductIn(data=request.data, context=self.get_serializer_context()))
        saved = upserts.product(sku=named(sku, longest=100), told=data)
        return self.answer(saved.row, created(saved.outcome))

    def answer(self, product: Product, code: int) -> Response:
        body: dict[str, Any] = self.get_serializer(product).data
        return Response(body, status=code)
