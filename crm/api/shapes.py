"""What several resources answer of customers and scores."""

from dataclasses import dataclass
from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from analytics.models import Score
from analytics.selectors.worth import Worth
from core.api.fields import Id, Moment, Money, Text, Whole
from core.api.serializers import StrictSerializer
from crm import labels
from crm.selectors.people import Row
from customers.models import Identity

SLUGS: Final = [name.slug for name in labels.SEGMENTS]
BANDS: Final = list(labels.BANDS.values())

WHO: Final = {"source": "shop", "external_id": "c-1"}
CUSTOMER: Final = {
    "id": "42",
    **WHO,
    "name": "Ada Lovelace",
    "email": "ada@example.com",
    "segment": "champions",
    "clv_12m": "412.50",
    "churn_risk": 0.183204,
    "churn_band": "low",
    "spent": "1290.00",
    "orders": 12,
    "last_order_at": "2026-03-01T11:30:00Z",
    "tier": "Silver",
    "points": 740,
    "custom": {"shoe_size": "42", "newsletter": True},
}
SCORE: Final = {
    "customer": "42",
    **WHO,
    "as_of": "2026-03-31",
    "orders": 12,
    "order_days": 11,
    "first_order_at": "2024-05-02T08:00:00Z",
    "last_order_at": "2026-03-01T11:30:00Z",
    "age_days": 698,
    "p_alive": 0.961204,
    "churn_risk": 0.183204,
    "churn_band": "low",
    "expected_orders_12m": 7.804113,
    "expected_margin_per_order": "55.10",
    "clv_12m": "412.50",
    "clv_12m_low": "240.10",
    "clv_12m_high": "590.70",
    "clv_historic": "516.00",
    "acquisition_cost": "33.00",
    "cost_to_serve": "18.40",
    "profit": "464.60",
    "profitable_on": "2024-07-11",
    "expected_costs_12m": "12.10",
    "clv_36m": "903.20",
    "clv_lifetime": "1204.80",
    "contracts_12m": "0.00",
    "contracts_36m": "0.00",
    "contracts_lifetime": "0.00",
    "total_value_12m": "865.00",
    "total_value_36m": "1341.31",
    "total_value_lifetime": "1634.06",
    "clv_textbook": "655.00",
    "segment": "champions",
    "model": "MBG/NBD",
}


@extend_schema_field({"type": "number"})
class Real(serializers.Field):  # type: ignore[type-arg]
    """A probability or an expectation, with six decimals."""

    def to_representation(self, value: float) -> float:
        return round(value, 6)


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {"oneOf": [{"type": "string"}, {"type": "boolean"}]},
        "example": CUSTOMER["custom"],
    }
)
class Custom(serializers.JSONField):
    """Custom fields by their keys; those without a value are left out."""


@extend_schema_field({"type": "string", "enum": SLUGS, "example": SLUGS[0]})
class Segment(serializers.Field):  # type: ignore[type-arg]
    """The segment's slug; null for customers without an order that stands."""

    def to_representation(self, value: int) -> str | None:
        return labels.segment(value).slug or None


@extend_schema_field({"type": "string", "enum": BANDS, "example": BANDS[0]})
class Band(serializers.Field):  # type: ignore[type-arg]
    def to_representation(self, value: int) -> str | None:
        return labels.band(value) or None


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A row of the list with the customer's first identity, and what she has in the loyalty programme."""

    row: Row
    identity: Identity | None
    tier: str | None
    points: int


@extend_schema_serializer(examples=[OpenApiExample("A customer", value=CUSTOMER, response_only=True)])
class CustomerOut(StrictSerializer):
    """A customer with what the last night says. Scores are null until a night has seen an order that stands."""

    id = Id(source="row.customer.pk")
    source = Text(source="identity.source", allow_null=True)  # type: ignore[assignment]
    external_id = Text(source="identity.external_id", allow_null=True)
    name = Text(source="row.customer.name")
    email = Text(source="row.email")
    segment = Segment(source="row.score.segment", allow_null=True)
    clv_12m = Money(source="row.clv_cents", allow_null=True)
    churn_risk = Real(source="row.score.churn_risk", allow_null=True)
    churn_band = Band(source="row.score.churn_band", allow_null=True)
    spent = Money(
        source="row.score.value_cents", allow_null=True, help_text="Order value to date, less what came back."
    )
    orders = Whole(source="row.score.orders", allow_null=True)
    last_order_at = Moment(source="row.score.last_at", allow_null=True)
    tier = Text(allow_null=True, help_text="The tier's name; null without one.")
    points = Whole(help_text="What she can spend now.")
    custom = Custom(source="row.customer.custom", help_text="Custom fields by their keys, those with a value.")


@dataclass(frozen=True, kw_only=True)
class Scored:
    """A score with the customer's first identity and its night."""

    score: Score
    identity: Identity | None
    as_of: Any
    model: str
    worth: Worth


@extend_schema_serializer(examples=[OpenApiExample("A score", value=SCORE, response_only=True)])
class ScoreOut(StrictSerializer):
    """What a night says of a customer: the columns of `export_scores`, under the same names, and what she costs."""

    customer = Id(source="score.customer_id")
    source = Text(source="identity.source", allow_null=True)  # type: ignore[assignment]
    external_id = Text(source="identity.external_id", allow_null=True)
    as_of = serializers.DateField()
    orders = Whole(source="score.orders")
    order_days = Whole(source="score.order_days")
    first_order_at = Moment(source="score.first_at")
    last_order_at = Moment(source="score.last_at")
    age_days = Whole(source="score.age_days")
    p_alive = Real(source="score.p_alive", allow_null=True)
    churn_risk = Real(source="score.churn_risk", allow_null=True)
    churn_band = Band(source="score.churn_band", allow_null=True)
    expected_orders_12m = Real(source="score.expected_orders", allow_null=True)
    expected_margin_per_order = Money(source="score.order_margin_cents", allow_null=True)
    clv_12m = Money(source="score.clv_cents", allow_null=True)
    clv_12m_low = Money(source="score.clv_low_cents", allow_null=True)
    clv_12m_high = Money(source="score.clv_high_cents", allow_null=True)
    clv_historic = Money(source="score.historic_cents")
    acquisition_cost = Money(source="score.acquisition_cents")
    cost_to_serve = Money(source="score.cost_cents", help_text="To serve and to keep, to date.")
    profit = Money(source="score.profit_cents", least=None, help_text="Margin to date less every cost to date.")
    profitable_on = serializers.DateField(
        source="score.profitable_on", allow_null=True, help_text="Since when margin covers every cost; null while not."
    )
    expected_costs_12m = Money(source="score.expected_cost_cents", allow_null=True)
    clv_36m = Money(source="score.clv_36m_cents", allow_null=True)
    clv_lifetime = Money(source="score.clv_lifetime_cents", allow_null=True)
    contracts_12m = Money(source="score.contract_cents", least=None, help_text="What contracts are of `clv_12m`.")
    contracts_36m = Money(source="score.contract_36m_cents", least=None)
    contracts_lifetime = Money(source="score.contract_lifetime_cents", least=None)
    total_value_12m = Money(
        source="worth.totals.12m", allow_null=True, help_text="Profit, and expected margin less expected costs."
    )
    total_value_36m = Money(source="worth.totals.36m", allow_null=True)
    total_value_lifetime = Money(source="worth.totals.lifetime", allow_null=True)
    clv_textbook = Money(
        source="score.textbook_cents", allow_null=True, help_text="Order value × frequency × lifespan × margin rate."
    )
    segment = Segment(source="score.segment", allow_null=True)
    model = Text()
