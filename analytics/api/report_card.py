"""`report-card`: what the models would have said on past days, what happened, and how that is judged."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.response import Response

from analytics import verdicts
from analytics.clv.report_card import Card, Plain, Total
from analytics.clv.rolling import LastMonth
from analytics.selectors import nights, report_card
from analytics.selectors.report_card import ReportCard
from analytics.verdicts import Verdict
from core import money
from core.api.fields import Text, Whole
from core.api.serializers import StrictSerializer
from core.api.views import ApiRequest, ApiView

ORDERS: Final = {"predicted": 3725.01, "low": 2799.04, "high": 4957.3, "actual": 3362.0}
SPEND: Final = {"predicted": "180866.48", "low": "123494.87", "high": "264891.05", "actual": "157971.59"}
LAST_MONTH: Final = {
    "model": "MBG/CNBD-k",
    "spend_model": "Shrunken mean",
    "orders": 3811.4,
    "spend": "184220.02",
    "mae": 1.651204,
}
ORIGIN: Final = {
    "origin": "2025-03-31",
    "horizon_days": 365,
    "model": "MBG/NBD",
    "orders": ORDERS,
    "spend": SPEND,
    "mae": 1.646588,
    "coverage_80": 0.794034,
    "naive_mae": 2.056109,
    "last_month": LAST_MONTH,
}
VERDICT: Final = {
    "slug": "orders",
    "name": "Level of orders",
    "grade": "fair",
    "sentence": "11% away from what happened on average: predicted at 1.09 to 1.13 times of it on 2 past days.",
}
CARD: Final = {
    "as_of": "2026-04-12",
    "looked_back_from": "2026-03-31",
    "overall": "The predictions have been right about this shop's past.",
    "origins": [ORIGIN],
    "verdicts": [VERDICT],
}


class OrdersOut(StrictSerializer):
    predicted = serializers.FloatField()
    low = serializers.FloatField(help_text="Of the 80% interval.")
    high = serializers.FloatField()
    actual = serializers.FloatField()


class SpendOut(StrictSerializer):
    predicted = Text(help_text="In the business's currency, as are the others.")
    low = Text(help_text="Of the 80% interval.")
    high = Text()
    actual = Text()


class LastMonthOut(StrictSerializer):
    model = Text()
    spend_model = Text()
    orders = serializers.FloatField(
        help_text="Order days of all customers together, as they would have been predicted."
    )
    spend = Text(allow_null=True)
    mae = serializers.FloatField()


class OriginOut(StrictSerializer):
    origin = serializers.DateField(help_text="The past day on whose evening the prediction would have been made.")
    horizon_days = Whole(help_text="How many days after it are compared.")
    model = Text()
    orders = OrdersOut(help_text="Order days of all customers together.")
    spend = SpendOut(allow_null=True)
    mae = serializers.FloatField(help_text="Mean absolute error of a customer's order days.")
    coverage_80 = serializers.FloatField(help_text="Share of the customers within their 80% interval.")
    naive_mae = serializers.FloatField(help_text="The same error when everyone goes on at the pace so far.")
    last_month = LastMonthOut(allow_null=True, help_text="What the models of a month ago would have said on that day.")


class VerdictOut(StrictSerializer):
    slug = serializers.ChoiceField(list(verdicts.MEASURES))
    name = Text()
    grade = serializers.ChoiceField([grade.value for grade in verdicts.Grade])
    sentence = Text()


@extend_schema_serializer(examples=[OpenApiExample("A report card", value=CARD, response_only=True)])
class ReportCardOut(StrictSerializer):
    as_of = serializers.DateField(allow_null=True)
    looked_back_from = serializers.DateField(allow_null=True)
    overall = Text()
    origins = OriginOut(many=True)
    verdicts = VerdictOut(many=True)


class ReportCardDetail(ApiView):
    serializer_class = ReportCardOut

    @extend_schema(operation_id="report_card")
    def get(self, request: ApiRequest) -> Response:
        """How far the predictions can be trusted. No origins while the shop is too young; empty before a night."""
        run = nights.current()
        card = report_card.read(run) if run else None
        if card is None:
            nothing: dict[str, Any] = {
                "as_of": None,
                "looked_back_from": None,
                "overall": "",
                "origins": [],
                "verdicts": [],
            }
            return Response(ReportCardOut(nothing).data)
        found = {
            "as_of": card.as_of,
            "looked_back_from": card.until,
            "overall": card.overall,
            "origins": _origins(card),
            "verdicts": [_verdict(one) for one in card.verdicts],
        }
        return Response(ReportCardOut(found).data)


def _origin(card: Card, currency: str) -> dict[str, Any]:
    return {
        **{name: getattr(card, name) for name in ("origin", "horizon_days", "model", "orders")},
        "spend": _spend(card.spend, money.exponent(currency)) if card.spend else None,
        **{name: round(getattr(card, name), 6) for name in ("mae", "coverage_80", "naive_mae")},
    }


def _origins(card: ReportCard) -> list[dict[str, Any]]:
    before, currency = card.last_month, card.currency
    said = [_said(before, one, currency) for one in before.said] if before else [None] * len(card.cards)
    return [_origin(one, currency) | {"last_month": last} for one, last in zip(card.cards, said, strict=True)]


def _said(before: LastMonth, one: Plain | None, currency: str) -> dict[str, Any] | None:
    if one is None:
        return None
    spend = None if one.spend is None else f"{one.spend:.{money.exponent(currency)}f}"
    names = {"model": before.model, "spend_model": before.spend_model}
    return names | {"orders": one.orders, "spend": spend, "mae": round(one.mae, 6)}


def _spend(total: Total, digits: int) -> dict[str, str]:
    return {name: f"{getattr(total, name):.{digits}f}" for name in ("predicted", "low", "high", "actual")}


def _verdict(one: Verdict) -> dict[str, str]:
    return {
        "slug": one.slug,
        "name": str(one.measure.label),
        "grade": one.grade.value,
        "sentence": one.sentence,
    }
