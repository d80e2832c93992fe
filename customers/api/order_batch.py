"""`orders/batch`: up to a thousand upserts in one transaction. A bad order does not cost the others, unless asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from drf_standardized_errors.formatter import flatten_errors
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.fields import Flag, Id, Text, Whole
from core.api.serializers import StrictSerializer
from core.api.views import ApiView
from customers.api import order_shapes
from customers.api.order_shapes import BODY, MOST_ORDERS, BatchItemIn
from customers.api.orders import lost, taken
from customers.services import order_codes, orders
from customers.services.orders import Outcome, Placed, Recorded, RefundedLine

BATCH_BYTES: Final = 16 << 20
ITEM: Final = {"source": "shop", "external_id": "1001", **BODY}


class Anything(serializers.Field):  # type: ignore[type-arg]
    def to_internal_value(self, data: Any) -> Any:
        return data


class Frame(StrictSerializer):
    """A batch whose orders are not read yet: they are read one by one."""

    orders = serializers.ListField(child=Anything(allow_null=True), allow_empty=False, max_length=MOST_ORDERS)
    all_or_nothing = Flag(default=False)


@extend_schema_serializer(examples=[OpenApiExample("One order", value={"orders": [ITEM]}, request_only=True)])
class BatchIn(StrictSerializer):
    orders = serializers.ListField(child=BatchItemIn(), min_length=1, max_length=MOST_ORDERS)
    all_or_nothing = Flag(default=False, help_text="Write nothing when one order is bad.")


class ProblemOut(StrictSerializer):
    code = Text()
    detail = Text()
    attr = Text(allow_null=True)


class RejectOut(StrictSerializer):
    """An order that was not written."""

    index = Whole(help_text="Its place in `orders`, from 0 on.")
    source = Text(allow_null=True)  # type: ignore[assignment]
    external_id = Text(allow_null=True)
    errors = ProblemOut(many=True)  # type: ignore[assignment]


class BatchOut(StrictSerializer):
    created = Whole()
    updated = Whole()
    unchanged = Whole()
    rejected = Whole()
    ids = serializers.ListField(child=Id(allow_null=True), help_text="In the order of `orders`; null: rejected.")
    rejects = RejectOut(many=True)


@dataclass
class Batch:
    """Which orders of a batch can be written, and what is wrong with the others, by their place."""

    items: Sequence[Any]
    good: dict[int, Placed] = field(default_factory=dict)
    codes: dict[int, Sequence[str]] = field(default_factory=dict)
    problems: dict[int, Any] = field(default_factory=dict)
    outcomes: dict[int, Recorded] = field(default_factory=dict)

    def read(self, context: Mapping[str, Any]) -> None:
        one = BatchItemIn(context=dict(context))
        seen: dict[tuple[str, str], int] = {}
        for index, item in enumerate(self.items):
            try:
                data = one.run_validation(item)
            except ValidationError as error:
                self.problems[index] = error.detail
                continue
            placed = order_shapes.placed(data, source=data["source"], external_id=data["external_id"])
            first = seen.setdefault(placed.key, index)
            if first == index:
                self.good[index] = placed
                self.codes |= {index: data["codes"]} if "codes" in data else {}
            else:
                self.problems[index] = {"external_id": [ErrorDetail(_again(first), code="duplicate")]}

    def take(self, outcomes: Sequence[Outcome]) -> None:
        for (index, placed), outcome in zip(self.good.items(), outcomes, strict=True):
            if isinstance(outcome, RefundedLine):
                self.problems[index] = ValidationError(lost(outcome, len(placed.lines))).detail
            else:
                self.outcomes[index] = outcome

    def entered(self) -> dict[int, Sequence[str]]:
        """The codes of the orders that were written, by their ids."""
        return {self.outcomes[index].order.pk: told for index, told in self.codes.items() if index in self.outcomes}

    def refuse_whole(self) -> None:
        """Raises ValidationError when an order is bad, with the errors of all that are."""
        if self.problems:
            raise ValidationError({"orders": self.problems})  # type: ignore[dict-item]  # nested ones are as good

    @property
    def answer(self) -> dict[str, Any]:
        found = [outcome.outcome for outcome in self.outcomes.values()]
        return {
            **{name: found.count(name) for name in ("created", "updated", "unchanged")},
            "rejected": len(self.problems),
            "ids": [
                str(self.outcomes[index].order.pk) if index in self.outcomes else None
                for index in range(len(self.items))
            ],
            "rejects": [self._reject(index) for index in sorted(self.problems)],
        }

    def _reject(self, index: int) -> dict[str, Any]:
        item = self.items[index] if isinstance(self.items[index], Mapping) else {}
        names = {
            name: value if isinstance(value := item.get(name), str) else None for name in ("source", "external_id")
        }
        errors = [
            {"code": error.code, "detail": error.detail, "attr": error.attr}
            for error in flatten_errors(self.problems[index])
        ]
        return {"index": index, **names, "errors": errors}


def _again(first: int) -> str:
    return _("The same order stands at index %s of this batch.") % first


class OrderBatch(ApiView):
    serializer_class = BatchIn
    max_body_bytes: ClassVar[int] = BATCH_BYTES

    @extend_schema(operation_id="orders_batch", request=BatchIn, responses={200: BatchOut})
    def post(self, request: Request) -> Response:
        """Up to 1,000 orders in one transaction. Bad ones are left out and named, or with `all_or_nothing` refuse all.

        An order that stands twice is bad the second time.
        """
        context = self.get_serializer_context()
        frame = taken(Frame(data=request.data, context=context))
        batch, whole = Batch(frame["orders"]), frame["all_or_nothing"]
        batch.read(context)
        if whole:
            batch.refuse_whole()
        business = request.business  # type: ignore[attr-defined]
        batch.take(orders.record_many(orders=list(batch.good.values()), business=business, all_or_nothing=whole))
        if whole:
            batch.refuse_whole()
        order_codes.keep(entered=batch.entered())
        return Response(batch.answer)
