"""`companies`: lists, one, upsert by source and id."""

from typing import Any, Final

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django_filters import filters
from django_filters.filterset import FilterSet
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.fields import Id, Text, Whole
from core.api.serializers import StrictSerializer
from core.api.views import ApiView, ListView
from customers.api.orders import taken
from customers.api.values import created, named
from customers.models import Company
from customers.services import upserts

BODY: Final = {"name": "Analytical Engines Ltd", "tax_number": "GB123456789", "payment_terms_days": 30}


class CompanyOut(StrictSerializer):
    id = Id(source="pk")
    source = Text()  # type: ignore[assignment]
    external_id = Text()
    name = Text()
    tax_number = Text()
    payment_terms_days = Whole(allow_null=True)
    contract_starts_on = serializers.DateField(allow_null=True)
    contract_ends_on = serializers.DateField(
        allow_null=True, help_text="As it was told of the company. Where `contracts` of it are recorded, theirs count."
    )


@extend_schema_serializer(examples=[OpenApiExample("A company", value=BODY, request_only=True)])
class CompanyIn(StrictSerializer):
    """What is left out stays as it is."""

    name = Text(max_length=200)
    tax_number = Text(max_length=40, required=False, allow_blank=True)
    payment_terms_days = Whole(min_value=0, max_value=3650, required=False, allow_null=True)
    contract_starts_on = serializers.DateField(required=False, allow_null=True)
    contract_ends_on = serializers.DateField(required=False, allow_null=True)


class CompanyFilter(FilterSet):
    source = filters.CharFilter(label="The system that names it.")


class CompanyList(ListView):
    serializer_class = CompanyOut
    filterset_class = CompanyFilter
    queryset = Company.objects.all()

    def get(self, request: Request) -> Response:
        """Companies, the newest first."""
        return super().get(request)


class CompanyById(ApiView):
    serializer_class = CompanyOut

    def get(self, request: Request, pk: int) -> Response:
        """One company."""
        return Response(self.get_serializer(get_object_or_404(Company, pk=pk)).data)


class CompanyByName(ApiView):
    serializer_class = CompanyOut

    @extend_schema(operation_id="companies_retrieve_by_source")
    def get(self, request: Request, source: str, external_id: str) -> Response:
        """One company, by the source's name and the id there."""
        return Response(self.get_serializer(get_object_or_404(Company, source=source, external_id=external_id)).data)

    @extend_schema(request=CompanyIn, responses={200: CompanyOut, 201: CompanyOut})
    def put(self, request: Request, source: str, external_id: str) -> Response:
        """Write what is told of a company. 201: it is new. 200: it is known, and changed if the body differs."""
        data: dict[str, Any] = taken(CompanyIn(data=request.data, context=self.get_serializer_context()))
        try:
            saved = upserts.company(source=named(source, longest=60), external_id=named(external_id), told=data)
        except upserts.EndsBeforeItStarts:
            detail = ErrorDetail(_("The contract ends before it starts."), code="range")
            raise ValidationError({"contract_ends_on": [detail]}) from None
        return Response(self.get_serializer(saved.row).data, status=created(saved.outcome))
