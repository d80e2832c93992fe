"""`rewards`: the shelf, as a list and one by one."""

from typing import Any, Final

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django_filters.filterset import FilterSet
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.fields import Id, Moment, Money, Text, Whole
from core.api.filters import OneOf
from core.api.idempotent import idempotent
from core.api.serializers import StrictSerializer
from core.api.views import ApiView, ListView
from core.paging import Phase
from customers.api.orders import taken
from customers.models import Product
from loyalty.forms.reward import LARGEST_CENTS, MOST_CODE_DAYS, MOST_PIECES
from loyalty.models import Offer, Reward
from loyalty.models.reward import LONGEST_TRIAL_DAYS, MOST_POINTS
from loyalty.selectors import rewards as found
from loyalty.selectors.offers import fit_to_give
from loyalty.services import shelf
from loyalty.services.shelf import Item

BODY: Final = {"name": "Mug", "kind": "product", "points": 100, "sku": "MUG-1", "stock": 12, "cap": 1}
REWARD: Final = {
    "id": "3",
    "name": "Mug",
    "description": "",
    "kind": "product",
    "points": 100,
    "money_off": None,
    "trial_days": None,
    "sku": "MUG-1",
    "offer": None,
    "code_days": None,
    "stock": 12,
    "left": 12,
    "cap": 1,
    "cap_period": "ever",
    "visible_from": None,
    "visible_until": None,
    "archived_at": None,
}


@extend_schema_serializer(examples=[OpenApiExample("A reward", value=REWARD, response_only=True)])
class RewardOut(StrictSerializer):
    id = Id(source="reward.pk")
    name = Text(source="reward.name")
    description = Text(source="reward.description")
    kind = serializers.ChoiceField(source="reward.kind", choices=Reward.Kind.choices)
    points = Whole(source="reward.cost_points", help_text="Without a tier's own price.")
    money_off = Money(source="reward.money_off_cents", allow_null=True)
    trial_days = Whole(source="reward.trial_days", allow_null=True)
    sku = Text(source="reward.product.sku", default=None, allow_null=True)
    offer = Id(source="reward.offer_id", allow_null=True, help_text="Of a code: the offer that makes one for each.")
    code_days = Whole(source="reward.code_days", allow_null=True)
    stock = Whole(source="reward.stock", allow_null=True)
    left = Whole(allow_null=True, help_text="The stock, or the free codes of the pool; null: endless.")
    cap = Whole(source="reward.cap", allow_null=True, help_text="Most for one customer.")
    cap_period = serializers.ChoiceField(source="reward.cap_period", choices=Reward.Period.choices)
    visible_from = Moment(source="reward.visible_from", allow_null=True)
    visible_until = Moment(source="reward.visible_until", allow_null=True)
    archived_at = Moment(source="reward.archived_at", allow_null=True)


@extend_schema_serializer(examples=[OpenApiExample("A mug", value=BODY, request_only=True)])
class RewardIn(StrictSerializer):
    """A reward as it is to be: what is left out is empty. Prices of tiers are set on the pages, and stay."""

    name = Text(max_length=120)
    description = Text(max_length=500, required=False, allow_blank=True)
    kind = serializers.ChoiceField(choices=Reward.Kind.choices)
    points = Whole(source="cost_points", min_value=1, max_value=MOST_POINTS)
    money_off = Money(source="money_off_cents", required=False, allow_null=True)
    trial_days = Whole(min_value=1, max_value=LONGEST_TRIAL_DAYS, required=False, allow_null=True)
    sku = Text(source="product", max_length=100, required=False, allow_null=True)
    offer = Id(
        required=False,
        allow_null=True,
        help_text="Of a code: each who redeems it gets one of this offer. Without one, codes come out of the pool.",
    )
    code_days = Whole(
        min_value=1,
        max_value=MOST_CODE_DAYS,
        required=False,
        allow_null=True,
        help_text="How long such a code is good; null: as long as the offer.",
    )
    stock = Whole(min_value=0, max_value=MOST_PIECES, required=False, allow_null=True)
    cap = Whole(min_value=1, max_value=MOST_PIECES, required=False, allow_null=True)
    cap_period = serializers.ChoiceField(choices=Reward.Period.choices, required=False)
    visible_from = Moment(required=False, allow_null=True)
    visible_until = Moment(required=False, allow_null=True)

    def validate_sku(self, sku: str | None) -> Product | None:
        product = Product.objects.filter(sku=sku).first() if sku is not None else None
        if sku is not None and product is None:
            raise ValidationError([ErrorDetail(_("There is no such product."), code="does_not_exist")])
        return product

    def validate_offer(self, pk: int | None) -> Offer | None:
        offer = fit_to_give().filter(pk=pk).first() if pk is not None else None
        if pk is not None and offer is None:
            text = _("There is no such offer, or it has caps, a budget, segments or tiers: its codes may not work.")
            raise ValidationError([ErrorDetail(text, code="does_not_exist")])
        return offer

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        name, field = NEEDED.get(attrs["kind"], ("", ""))
        if field and not 0 < (attrs.get(field) or 0) < LARGEST_CENTS:
            raise ValidationError({name: [ErrorDetail(_("This kind of reward needs it."), code="needed_by_kind")]})
        begin, end = attrs.get("visible_from"), attrs.get("visible_until")
        if begin and end and end <= begin:
            text = _("It is offered until a time after the first.")
            raise ValidationError({"visible_until": [ErrorDetail(text, code="range")]})
        return attrs


NEEDED: Final[dict[str, tuple[str, str]]] = {
    Reward.Kind.MONEY: ("money_off", "money_off_cents"),
    Reward.Kind.TRIAL: ("trial_days", "trial_days"),
}


class RewardFilter(FilterSet):
    state = OneOf("offered", "hidden", "archived", "all", method="noted", label="Offered now, unless told otherwise.")

    def noted(self, rows: Any, name: str, value: str) -> Any:
        return rows


class RewardView(ApiView):
    serializer_class: type[StrictSerializer] = RewardOut

    def body(self, request: Request) -> Item:
        return Item(**taken(RewardIn(data=request.data, context=self.get_serializer_context())))

    def shown(self, pk: int) -> Any:
        reward = get_object_or_404(Reward.objects.select_related("product"), pk=pk)
        (row,) = found.rows([reward], at=timezone.now())
        return self.get_serializer(row).data


class RewardList(ListView, RewardView):
    filterset_class = RewardFilter
    queryset = Reward.objects.none()

    def get(self, request: Request) -> Response:
        """Rewards, the newest first."""
        self.filter_queryset(self.get_queryset())  # refuses what cannot be read
        items = self.paginate_queryset(Reward.objects.none()) or []
        rows = found.rows(items, at=timezone.now())
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)

    def phases(self, queryset: Any) -> list[Phase]:
        state = self.request.query_params.get("state", "")
        rows = found.of_state(state, at=timezone.now()).select_related("product")
        return [Phase(rows=rows, descending=True)]

    @extend_schema(request=RewardIn, responses={201: RewardOut}, operation_id="rewards_create")
    @idempotent(required=False)
    def post(self, request: Request) -> Response:
        """Put a reward on the shelf."""
        made = shelf.add(item=self.body(request), prices={})
        return Response(self.shown(made.pk), status=status.HTTP_201_CREATED)


class RewardById(RewardView):
    @extend_schema(operation_id="rewards_retrieve")
    def get(self, request: Request, pk: int) -> Response:
        """One reward."""
        return Response(self.shown(pk))

    @extend_schema(request=RewardIn, responses={200: RewardOut}, operation_id="rewards_update")
    def put(self, request: Request, pk: int) -> Response:
        """Write a reward as it is now. Redemptions so far keep what they cost."""
        get_object_or_404(Reward, pk=pk)
        shelf.change(reward_id=pk, item=self.body(request), prices=None)
        return Response(self.shown(pk))
