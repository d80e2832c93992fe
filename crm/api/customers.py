"""`customers`: the list as people see it, one, upsert by source and id, and corrections."""

from collections.abc import Sequence
from typing import Any, Final

from django.db.models import QuerySet
from django.http import QueryDict
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django_filters import filters
from django_filters.filterset import FilterSet
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from analytics import schemes
from analytics.models import Score
from core.api.filters import AmountFilter, OneOf
from core.api.views import ApiView, ListView
from core.models import Run
from core.paging import Phase
from crm.api import customer_shapes
from crm.api.customer_shapes import CustomerDetailOut, CustomerIn
from crm.api.shapes import SLUGS, CustomerOut, Listed
from crm.selectors import nights, people
from customers.api.values import created, named
from customers.models import Customer, Identity
from customers.selectors import identities, merged
from customers.services import upserts
from loyalty.selectors import cards, tiers

ORDERINGS: Final = {
    "clv_12m": "clv",
    "churn_risk": "risk",
    "spent": "value",
    "last_order_at": "last",
    "name": "name",
}
# Our names for what the list of the pages calls otherwise (crm.filters).
NAMES: Final = {"search": "q", "segment": "segment", "clv_min": "clv_min", "clv_max": "clv_max"} | {
    scheme.slug: scheme.slug for scheme in (*schemes.SCORED, schemes.NEEDS)
}


class CustomerFilter(FilterSet):
    """Checks the parameters; crm.selectors.people reads them."""

    search = filters.CharFilter(method="noted", label="Name, company, e-mail, phone or id, without regard to accents.")
    segment = OneOf(*SLUGS, method="noted", label="The segment's slug.")
    churn_risk_min = AmountFilter(method="noted", label="From 0 to 1.")
    clv_min = AmountFilter(method="noted", label="In the business's currency.")
    clv_max = AmountFilter(method="noted", label="In the business's currency.")
    ordering = OneOf(
        *(way + name for name in ORDERINGS for way in ("", "-")), method="noted", label="Without it: -clv_12m."
    )

    def noted(self, rows: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return rows


def listed(items: Sequence[Score | Customer], *, run: Run | None) -> list[Listed]:
    rows = people.rows(items, run=run)
    ids, at = [row.customer.pk for row in rows], timezone.now()
    known, stands, balances = identities.first(ids), tiers.tiers_at(ids, at), cards.balances(ids, at=at)
    return [
        Listed(
            row=row, identity=known.get(pk), tier=stands[pk].name if pk in stands else None, points=balances.get(pk, 0)
        )
        for pk, row in zip(ids, rows, strict=True)
    ]


class CustomerList(ListView):
    """Customers with their scores of the last night, the most valuable first."""

    serializer_class = CustomerOut
    filterset_class = CustomerFilter
    queryset = Customer.objects.none()

    def get(self, request: Request) -> Response:
        """Customers with what the last night says of them; those without a score come last."""
        return self.answer(request, wanted={})

    def answer(self, request: Request, *, wanted: dict[str, str]) -> Response:
        """A page of the list, filtered by the address and by `wanted`, which goes over it."""
        self.filter_queryset(self.get_queryset())  # refuses what cannot be read
        self.run = nights.current()
        self.found = people.query(
            data=_as_page({**request.query_params.dict(), **wanted}),
            run=self.run,
            business=request.business,  # type: ignore[attr-defined]
        )
        items = self.paginate_queryset(Customer.objects.none()) or []
        return self.get_paginated_response(self.get_serializer(listed(items, run=self.run), many=True).data)

    def phases(self, queryset: QuerySet[Any]) -> list[Phase]:
        return self.found.phases


def _as_page(asked: dict[str, str]) -> QueryDict:
    """The same wishes in the words of the list's page."""
    data = QueryDict(mutable=True)
    for name, value in asked.items():
        if name in NAMES:
            data[NAMES[name]] = value
    if asked.get("churn_risk_min"):
        data["risk_min"] = asked["churn_risk_min"]
    ordering = asked.get("ordering", "")
    if ordering:
        data["sort"] = ("-" if ordering.startswith("-") else "") + ORDERINGS[ordering.lstrip("-")]
    return data


class CustomerById(ApiView):
    """The id of a customer who was merged leads to the one who stands for them: `id` says who that is."""

    serializer_class = CustomerDetailOut

    def get(self, request: Request, pk: int) -> Response:
        """One customer with contacts, identities and what the last night says."""
        return Response(self.body(merged.survivor(pk)))

    @extend_schema(request=CustomerIn, responses={200: CustomerDetailOut})
    def patch(self, request: Request, pk: int) -> Response:
        """Correct what is told; the rest stays."""
        pk = merged.survivor(pk)
        try:
            customer_shapes.saved(self, lambda told: upserts.change_customer(customer_id=pk, told=told))
        except Customer.DoesNotExist:
            raise NotFound from None
        return Response(self.body(pk))

    def body(self, pk: int) -> Any:
        get_object_or_404(Customer, pk=pk)
        return _body(self, pk)


class CustomerByName(ApiView):
    serializer_class = CustomerDetailOut

    @extend_schema(operation_id="customers_retrieve_by_source")
    def get(self, request: Request, source: str, external_id: str) -> Response:
        """One customer, by the source's name and the id there."""
        known = get_object_or_404(Identity, source=source, external_id=external_id)
        return Response(_body(self, known.customer_id))

    @extend_schema(request=CustomerIn, responses={200: CustomerDetailOut, 201: CustomerDetailOut})
    def put(self, request: Request, source: str, external_id: str) -> Response:
        """Write what is told of a customer. 201: they are new. 200: they are known, and changed if the body differs."""
        source, external_id = named(source, longest=60), named(external_id)
        saved = customer_shapes.saved(
            self, lambda told: upserts.customer(source=source, external_id=external_id, told=told)
        )
        return Response(_body(self, saved.row.pk), status=created(saved.outcome))


def _body(view: ApiView, pk: int) -> Any:
    (one,) = listed([Customer.objects.get(pk=pk)], run=nights.current())
    return view.get_serializer(one).data
