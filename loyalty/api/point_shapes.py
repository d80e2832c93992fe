"""Points as JSON: what is taken, and what is answered."""

from typing import Any, Final

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from core.api.fields import Id, Moment, Money, Text, Whole
from core.api.serializers import StrictSerializer
from loyalty import naming
from loyalty.api.codes import BASKET, BasketLineIn
from loyalty.baskets import MOST_LINES
from loyalty.models import Redemption
from loyalty.models.adjustment import LONGEST_REASON
from loyalty.models.ledger import LARGEST

ACCOUNT: Final = {
    "balance": 740,
    "pending": 120,
    "held": 0,
    "earned_12m": 1260,
    "tier": "Silver",
    "lots": [
        {"points": 500, "left": 240, "active_at": "2026-01-15T00:00:00Z", "expires_at": "2027-02-01T00:00:00Z"},
        {"points": 500, "left": 500, "active_at": "2026-02-20T00:00:00Z", "expires_at": "2027-03-01T00:00:00Z"},
        {"points": 120, "left": 120, "active_at": "2026-04-02T00:00:00Z", "expires_at": "2027-05-01T00:00:00Z"},
    ],
}
REDEEMED: Final = {
    "id": "9",
    "reward": "3",
    "points": 100,
    "money_off": "0.00",
    "balance": 640,
    "state": "committed",
    "code": "7K3M0QXRW8ZD41TN",
    "expires_at": None,
}
HELD: Final = {**REDEEMED, "state": "held", "code": None, "expires_at": "2026-03-20T10:30:00Z"}
MUG: Final = {"id": "3", "name": "Mug", "points": 100, "left": 12, "missing": 0}
COAT: Final = {"id": "4", "name": "Coat", "points": 900, "left": None, "missing": 160}
QUOTE: Final = {
    "balance": 740,
    "earns": 45,
    "earns_active_at": "2026-04-03T00:00:00Z",
    "points": 740,
    "money_off": "7.40",
    "rewards": [MUG],
    "almost": [COAT],
}
ADJUSTED: Final = {"id": "5", "points": 500, "state": "done", "balance": 1240}


class LotOut(StrictSerializer):
    points = Whole(help_text="That came together.")
    left = Whole()
    active_at = Moment(help_text="Pending until then.")
    expires_at = Moment(allow_null=True, help_text="Null: never.")


@extend_schema_serializer(examples=[OpenApiExample("A customer's points", value=ACCOUNT, response_only=True)])
class AccountOut(StrictSerializer):
    """What a customer has. Lots come in the order in which they are spent; those with nothing left are not told."""

    balance = Whole(source="points.balance", help_text="What she can spend now.")
    pending = Whole(source="points.pending")
    held = Whole(source="points.held", help_text="Set aside for redemptions that are not decided yet.")
    earned_12m = Whole(help_text="Earned in the last 12 months, pending ones too, less what refunds took back.")
    tier = Text(source="tier.name", default=None, allow_null=True)
    lots = LotOut(source="points.lots", many=True)


@extend_schema_serializer(
    examples=[
        OpenApiExample("Points", value={"points": 100}, request_only=True),
        OpenApiExample("A reward", value={"reward": "3"}, request_only=True),
    ]
)
class WishIn(StrictSerializer):
    """Points or a reward: one of the two."""

    points = Whole(min_value=1, max_value=LARGEST, required=False)
    reward = Id(required=False)
    order = Text(
        max_length=200,
        required=False,
        help_text="That they are spent on: your name of it, or its id here. When it comes back, so do the points.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("points" in attrs) == ("reward" in attrs):
            text = naming.said(_("Give %(points)s or a reward."))
            raise ValidationError({"points": [ErrorDetail(text, code="points_or_reward")]})
        return attrs


@extend_schema_serializer(
    examples=[
        OpenApiExample("Redeemed", value=REDEEMED, response_only=True, status_codes=["201"]),
        OpenApiExample("Held", value=HELD, response_only=True),
    ]
)
class RedeemedOut(StrictSerializer):
    id = Id()
    reward = Id(allow_null=True)
    points = Whole()
    money_off = Money(help_text="What it takes off a bill.")
    balance = Whole(help_text="What the customer can spend after it.")
    state = serializers.ChoiceField(choices=Redemption.State.choices)
    code = Text(
        allow_null=True, help_text="Of a reward: what the customer shows for it, or the discount code that it is."
    )
    expires_at = Moment(allow_null=True, help_text="Of a hold: commit it before.")


@extend_schema_serializer(examples=[OpenApiExample("A basket", value={"basket": BASKET}, request_only=True)])
class QuoteIn(StrictSerializer):
    basket = BasketLineIn(many=True, required=False, allow_empty=False, max_length=MOST_LINES)  # type: ignore[call-arg]


class OfferedOut(StrictSerializer):
    id = Id(source="reward.pk")
    name = Text(source="reward.name")
    points = Whole(help_text="This customer's price.")
    left = Whole(allow_null=True, help_text="Null: endless.")
    missing = Whole(help_text="Points that the customer lacks.")


@extend_schema_serializer(examples=[OpenApiExample("A quote", value=QUOTE, response_only=True)])
class QuoteOut(StrictSerializer):
    """A dry run: nothing is set aside, and two quotes may promise the same points."""

    balance = Whole(source="card.points.balance")
    earns = Whole(help_text="Points that the basket would bring if it were paid now.")
    earns_active_at = Moment(allow_null=True)
    points = Whole(source="spend_points", help_text="The most that can be redeemed on the basket.")
    money_off = Money(source="money_off_cents", help_text="What these points take off.")
    rewards = OfferedOut(source="within_reach", many=True)
    almost = OfferedOut(many=True)


@extend_schema_serializer(
    examples=[OpenApiExample("A present", value={"points": 500, "reason": "Sorry for the delay"}, request_only=True)]
)
class AdjustIn(StrictSerializer):
    points = Whole(min_value=-LARGEST, max_value=LARGEST, help_text="Below zero: taken.")
    reason = Text(max_length=LONGEST_REASON)


@extend_schema_serializer(examples=[OpenApiExample("Done", value=ADJUSTED, response_only=True)])
class AdjustedOut(StrictSerializer):
    """201: done. 202: above the limit, so somebody else decides."""

    id = Id()
    points = Whole()
    state = serializers.ChoiceField(choices=["done", "waiting"])
    balance = Whole()
