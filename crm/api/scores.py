"""`scores`: what the current night says, customer by customer."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django_filters.filterset import FilterSet
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.models import Score
from analytics.selectors import worth
from core import money
from core.api.filters import AmountFilter, OneOf
from core.api.views import ApiView, ListView
from core.models import Run
from core.paging import Phase
from crm import labels
from crm.api.shapes import BANDS, SLUGS, Scored, ScoreOut
from crm.filters import CODE_OF_BAND
from crm.selectors import nights
from customers.selectors import identities


class ScoreFilter(FilterSet):
    segment = OneOf(*SLUGS, method="by_segment", label="The segment's slug.")
    churn_band = OneOf(*BANDS, method="by_band", label="The risk beside the customer's own pace.")
    churn_risk_min = AmountFilter(field_name="churn_risk", lookup_expr="gte", label="From 0 to 1.")
    clv_min = AmountFilter(method="by_least", label="In the business's currency.")

    def by_segment(self, scores: QuerySet[Score], name: str, value: str) -> QuerySet[Score]:
        segment = labels.segment_of(value)
        return scores.filter(segment=segment) if segment else scores

    def by_band(self, scores: QuerySet[Score], name: str, value: str) -> QuerySet[Score]:
        return scores.filter(churn_band=CODE_OF_BAND[value])

    def by_least(self, scores: QuerySet[Score], name: str, value: Any) -> QuerySet[Score]:
        exponent = money.exponent(self.request.business.currency)
        return scores.filter(clv_cents__gte=int(value.scaleb(exponent)))


def scored(scores: Sequence[Score], *, run: Run | None) -> list[Scored]:
    if run is None:
        return []
    known = identities.first([score.customer_id for score in scores])
    model = run.model.get("fitted", {}).get("model", "")
    return [
        Scored(
            score=score,
            identity=known.get(score.customer_id),
            as_of=run.as_of,
            model=model if score.order_days else "",
            worth=worth.of_score(score, run=run),
        )
        for score in scores
    ]


class ScoreList(ListView):
    serializer_class = ScoreOut
    filterset_class = ScoreFilter
    queryset = Score.objects.none()

    def get(self, request: Request) -> Response:
        """The scores of the current night, in the order of the customers' ids. Empty before the first night."""
        self.run = nights.current()
        scores = Score.objects.filter(run=self.run) if self.run else Score.objects.none()
        rows = self.paginate_queryset(self.filter_queryset(scores)) or []
        return self.get_paginated_response(self.get_serializer(scored(rows, run=self.run), many=True).data)

    def phases(self, queryset: QuerySet[Score]) -> list[Phase]:
        return [Phase(rows=queryset, pk="customer_id")]


class ScoreDetail(ApiView):
    serializer_class = ScoreOut

    def get(self, request: Request, pk: int) -> Response:
        """What the current night says of one customer; 404 before a night has seen an order of theirs."""
        run = nights.current()
        score = get_object_or_404(Score, run=run, customer_id=pk)
        (one,) = scored([score], run=run)
        return Response(self.get_serializer(one).data)
