"""`segments`: how large they are by the current night, and who is in them."""

from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from analytics import schemes
from core.api.fields import Money, Text, Whole
from core.api.serializers import StrictSerializer
from core.api.views import ApiView
from core.models import Run
from crm import groups, labels
from crm.api.customers import CustomerFilter, CustomerList
from crm.api.shapes import Real
from crm.selectors import nights, segments
from crm.selectors.segments import SegmentState

CHAMPIONS: Final = {
    "scheme": "rfm",
    "slug": "champions",
    "name": "Champions",
    "as_of": "2026-03-31",
    "customers": 1204,
    "share": 0.082311,
    "clv_12m": "402118.00",
    "value_share": 0.311876,
    "risk": {"low": 1100, "medium": 92, "high": 12},
}
EXAMPLE: Final = {"next": None, "previous": None, "results": [CHAMPIONS]}


class SegmentOut(StrictSerializer):
    scheme = Text(source="name.scheme.slug", help_text="What divides the customers: rfm, value, tenure and others.")
    slug = Text(source="name.slug")
    name = Text(source="name.label")
    as_of = serializers.SerializerMethodField()
    customers = Whole()
    share = Real(help_text="Of all customers with an order.")
    clv_12m = Money(source="clv_cents", help_text="Of all its customers together.")
    value_share = Real(help_text="Of the expected value of all customers.")
    risk = serializers.DictField(child=Whole(), help_text="Customers by band of churn risk.")

    def get_as_of(self, state: SegmentState) -> str:
        run: Run = self.context["run"]
        return run.as_of.isoformat()


@extend_schema_serializer(examples=[OpenApiExample("A segment", value=EXAMPLE, response_only=True)])
class SegmentsOut(StrictSerializer):
    """The shape of a page, though there is only one."""

    next = Text(allow_null=True)
    previous = Text(allow_null=True)
    results = SegmentOut(many=True)


class SegmentList(ApiView):
    serializer_class = SegmentsOut

    @extend_schema(operation_id="segments_list")
    def get(self, request: Request) -> Response:
        """Every segment of every scheme with its size. Empty before the first night."""
        run = nights.current()
        states = [state for scheme in schemes.ALL for state in segments.states_of(run, scheme)] if run else []
        context = {**self.get_serializer_context(), "run": run}
        return Response(SegmentsOut({"next": None, "previous": None, "results": states}, context=context).data)


class MemberFilter(CustomerFilter):
    segment = None  # type: ignore[assignment]


class MemberList(CustomerList):
    filterset_class: ClassVar[Any] = MemberFilter

    def get(self, request: Request, slug: str) -> Response:  # type: ignore[override]
        """The customers of a segment, the most valuable first."""
        if labels.segment_of(slug) is None:
            raise NotFound
        return self.answer(request, wanted={"segment": slug})


class SchemeMemberList(CustomerList):
    filterset_class: ClassVar[Any] = MemberFilter

    @extend_schema(operation_id="segments_members_by_scheme_list")
    def get(self, request: Request, scheme: str, slug: str) -> Response:  # type: ignore[override]
        """The customers of a segment of any scheme, the most valuable first."""
        found = groups.scheme_of(scheme)
        if found is None or groups.find(found, slug) is None:
            raise NotFound
        return self.answer(request, wanted={"segment" if found is schemes.RFM else scheme: slug})
