"""`kpis` and `cohorts`: the key figures of the current night, and what cohorts did after their first order."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.response import Response

from analytics import curves, definitions
from analytics.selectors import cohorts, kpis, nights
from core import money
from core.api.fields import Text, Whole
from core.api.serializers import StrictSerializer
from core.api.views import ApiRequest, ApiView

MONEY_KINDS: Final = ("money", "money_short", "money_whole")
UNITS: Final = {"percent": "share", "number": "number", "ratio": "ratio", "years": "years", "month": "month"}

RETENTION: Final = {
    "slug": "retention",
    "name": "Retention rate",
    "unit": "share",
    "value": "0.712000",
    "before": "0.698000",
    "reason": "",
}
KPIS: Final = {"as_of": "2026-03-31", "days": 90, "results": [RETENTION]}
MONTH: Final = {
    "month": 1,
    "is_complete": True,
    "customers": 120,
    "retention": "0.241667",
    "orders_per_customer": "1.375000",
    "margin_per_customer": "38.20",
}
COHORT: Final = {
    "cohort": "2026-01",
    "name": "Jan 2026",
    "customers": 120,
    "acquisition_cost_per_customer": "31.00",
    "payback_month": 1,
    "months": [MONTH],
}
COHORTS: Final = {"as_of": "2026-03-31", "results": [COHORT]}


class PeriodAsked(serializers.Serializer[Any]):
    days = serializers.ChoiceField(kpis.PERIODS, default=kpis.FIRST_PERIOD, help_text="The length of the period.")


class CohortsAsked(serializers.Serializer[Any]):
    rows = serializers.ChoiceField(cohorts.ROWS, default="month", help_text="What a row is.")
    months = serializers.ChoiceField(cohorts.SPANS, default=12, help_text="First orders of so many months.")


class KpiOut(StrictSerializer):
    slug = Text()
    name = Text()
    unit = serializers.ChoiceField(["money", *UNITS.values()])
    value = Text(allow_null=True, help_text="A decimal. Money is in the business's currency.")
    before = Text(allow_null=True, help_text="The same for the period before.")
    reason = Text(help_text="Why there is no value.")


@extend_schema_serializer(examples=[OpenApiExample("A figure", value=KPIS, response_only=True)])
class KpisOut(StrictSerializer):
    as_of = serializers.DateField(allow_null=True)
    days = Whole()
    results = KpiOut(many=True)


class MonthOut(StrictSerializer):
    month = Whole(help_text="Calendar months after that of the first order.")
    is_complete = serializers.BooleanField(help_text="Whether a cohort has had the whole month.")
    customers = Whole(help_text="Of the cohorts that are that old.")
    retention = Text(allow_null=True, help_text="Share with an order in the month.")
    orders_per_customer = Text(allow_null=True, help_text="From the first order to the end of the month.")
    margin_per_customer = Text(allow_null=True, help_text="From the first order to the end of the month.")


class CohortOut(StrictSerializer):
    cohort = Text(help_text="The month or quarter of the first order, or its channel or category; empty for none.")
    name = Text()
    customers = Whole()
    acquisition_cost_per_customer = Text(allow_null=True)
    payback_month = Whole(allow_null=True)
    months = MonthOut(many=True)


@extend_schema_serializer(examples=[OpenApiExample("A cohort", value=COHORTS, response_only=True)])
class CohortsOut(StrictSerializer):
    as_of = serializers.DateField(allow_null=True)
    results = CohortOut(many=True)


class KpiList(ApiView):
    serializer_class = KpisOut
    parameters = frozenset({"days"})

    @extend_schema(operation_id="kpis_list", parameters=[PeriodAsked])
    def get(self, request: ApiRequest) -> Response:
        """The key figures of the last days beside the same days before. Empty before the first night."""
        days = int(_asked(PeriodAsked, request)["days"])
        run, currency = nights.current(), request.business.currency
        found = kpis.read(run=run, days=days) if run else []
        results = [_kpi(one, currency) for one in found]
        return Response(KpisOut({"as_of": run.as_of if run else None, "days": days, "results": results}).data)


class CohortList(ApiView):
    serializer_class = CohortsOut
    parameters = frozenset({"rows", "months"})

    @extend_schema(operation_id="cohorts_list", parameters=[CohortsAsked])
    def get(self, request: ApiRequest) -> Response:
        """Customers by their first order, and what they did in the months after. Empty before the first night."""
        asked, as_of = _asked(CohortsAsked, request), cohorts.as_of()
        query = cohorts.Query(rows=asked["rows"], months=int(asked["months"]))
        results = list(_cohorts(query, as_of, request.business.currency)) if as_of else []
        return Response(CohortsOut({"as_of": as_of, "results": results}).data)


def _asked(form: type[serializers.Serializer[Any]], request: ApiRequest) -> Mapping[str, Any]:
    """The parameters that have a value. Raises ValidationError."""
    asked = form(data={name: value for name, value in request.query_params.items() if value})
    asked.is_valid(raise_exception=True)
    data: Mapping[str, Any] = asked.validated_data
    return data


def _kpi(one: kpis.Kpi, currency: str) -> dict[str, Any]:
    kind = definitions.KPIS[one.slug].kind
    return {
        "slug": one.slug,
        "name": str(one.text.label),
        "unit": "money" if kind in MONEY_KINDS else UNITS[kind],
        "value": _text(one.now.value, kind, currency),
        "before": _text(one.before.value, kind, currency),
        "reason": str(one.now.reason),
    }


def _text(amount: float | None, kind: str, currency: str) -> str | None:
    if amount is None:
        return None
    if kind in MONEY_KINDS:
        return f"{money.major(amount, currency):.{money.exponent(currency)}f}"
    return f"{amount:.6f}"


def _cohorts(query: cohorts.Query, as_of: Any, currency: str) -> Iterator[dict[str, Any]]:
    grids = [cohorts.grid(cohorts.with_measure(query, measure), as_of=as_of).rows for measure in curves.MEASURES]
    for rows in zip(*grids, strict=True):
        row = rows[0]
        yield {
            "cohort": row.key,
            "name": row.label,
            "customers": row.customers,
            "acquisition_cost_per_customer": _text(row.cost, "money", currency),
            "payback_month": row.payback,
            "months": [
                _month(month, cells, currency) for month, cells in enumerate(zip(*(r.cells for r in rows), strict=True))
            ],
        }


def _month(month: int, cells: tuple[curves.Cell, ...], currency: str) -> dict[str, Any]:
    retention, orders, margin = cells
    return {
        "month": month,
        "is_complete": retention.is_complete,
        "customers": retention.customers,
        "retention": _text(retention.value, "percent", currency),
        "orders_per_customer": _text(orders.value, "number", currency),
        "margin_per_customer": _text(margin.value, "money", currency),
    }
