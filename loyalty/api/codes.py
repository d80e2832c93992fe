"""`codes`: what a code would do, using it, and giving it back."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.exceptions import ErrorDetail, Throttled, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core import idempotency
from core.api.errors import Conflict, Unprocessable
from core.api.fields import Id, Moment, Money, Price, Text, Whole
from core.api.idempotent import idempotent, key_of
from core.api.serializers import StrictSerializer
from core.api.views import ApiView
from customers.api.values import Quantity
from loyalty import codes
from loyalty.api.people import who
from loyalty.baskets import MOST_LINES, BadBasket
from loyalty.models import Use
from loyalty.offer_refusals import Refused
from loyalty.problems import KeyReused
from loyalty.selectors.basket_lines import Item
from loyalty.services import attempts, offers
from loyalty.services.attempts import TooManyAttempts
from loyalty.services.offers import Purchase

T = TypeVar("T")

MOST_MINUTES: Final = 1_440
BASKET: Final = [{"sku": "MUG-1", "quantity": 2, "unit_price": "9.95"}]
BODY: Final = {
    "customer": "42",
    "order": "1001",
    "basket": BASKET,
}
USE: Final = {
    "id": "7",
    "code": "7K3M-0QXR-W8ZD-41TN",
    "state": "used",
    "discount": "1.99",
    "shipping": "0.00",
    "lines": [{"sku": "MUG-1", "quantity": "2", "discount": "1.99"}],
    "free": [{"sku": "TEA-7", "quantity": 1}],
    "held_back": "0.00",
    "until": None,
}


class BasketLineIn(StrictSerializer):
    sku = Text(max_length=100)
    quantity = Quantity()
    unit_price = Price(required=False, help_text="Without one, the catalogue's.")


class PurchaseIn(StrictSerializer):
    """What it is used on. Without a basket, that of the order, where it is known here; else only an amount is known."""

    order = Text(max_length=200, required=False, help_text="Your name of the order, or its id here.")
    basket = BasketLineIn(many=True, required=False, allow_empty=False, max_length=MOST_LINES)  # type: ignore[call-arg]
    shipping = Money(required=False, help_text="What the customer pays for shipping.")


@extend_schema_serializer(examples=[OpenApiExample("A basket", value=BODY, request_only=True)])
class ValidateIn(PurchaseIn):
    customer = Id(required=False)


@extend_schema_serializer(examples=[OpenApiExample("A basket", value=BODY, request_only=True)])
class RedeemIn(PurchaseIn):
    customer = Id()
    hold_minutes = Whole(
        required=False,
        min_value=1,
        max_value=MOST_MINUTES,
        help_text="Reserve it for so long only: confirm it, or it is given back by itself.",
    )


@extend_schema_serializer(
    examples=[OpenApiExample("What was reserved", value={"use": "7", "order": "1001"}, request_only=True)]
)
class ConfirmIn(StrictSerializer):
    use = Id(help_text="The id of the reservation.")
    order = Text(max_length=200, required=False)


@extend_schema_serializer(examples=[OpenApiExample("A use", value={"use": "7"}, request_only=True)])
class ReleaseIn(StrictSerializer):
    """By the id of the use, or by customer and order."""

    use = Id(required=False)
    customer = Id(required=False)
    order = Text(max_length=200, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("use" in attrs) == ("customer" in attrs and "order" in attrs):
            raise ValidationError(
                {"use": [ErrorDetail(_("Name the use, or customer and order."), code="use_or_order")]}
            )
        return attrs


class UseLineOut(StrictSerializer):
    sku = Text()
    quantity = Quantity()
    discount = Money()


class FreeOut(StrictSerializer):
    sku = Text()
    quantity = Whole()


class DiscountOut(StrictSerializer):
    """`discount` is all that comes off lines and shipping; `free` comes on top of the basket."""

    discount = Money()
    shipping = Money()
    lines = UseLineOut(many=True)
    free = FreeOut(many=True)
    held_back = Money(help_text="What a highest discount or a margin floor did not let through.")


@extend_schema_serializer(examples=[OpenApiExample("A use", value=USE, response_only=True)])
class UseOut(DiscountOut):
    id = Id()
    code = Text()
    state = serializers.ChoiceField(choices=Use.State.choices)
    until = Moment(allow_null=True, help_text="Of a reservation.")


class ReleasedOut(StrictSerializer):
    released = Whole(help_text="How many uses were given back now.")


class CodeView(ApiView):
    serializer_class: type[StrictSerializer] = UseOut

    def body(self, serializer: type[StrictSerializer], request: Request) -> dict[str, Any]:
        taken = serializer(data=request.data, context=self.get_serializer_context())
        taken.is_valid(raise_exception=True)
        data: dict[str, Any] = taken.validated_data
        if "customer" not in data:
            return data
        try:
            return {**data, "customer": who(data["customer"])}
        except Http404:
            told = ErrorDetail(_("There is no such customer."), code="does_not_exist")
            raise ValidationError({"customer": [told]}) from None

    def shown(self, use: Use) -> dict[str, Any]:
        return UseOut(told(use), context=self.get_serializer_context()).data


class CodeValidate(CodeView):
    serializer_class = DiscountOut

    @extend_schema(request=ValidateIn, responses={200: DiscountOut})
    def post(self, request: Request, code: str) -> Response:
        """What the code would take off now. Nothing is used; another may be quicker."""
        data = self.body(ValidateIn, request)
        purchase, now = purchase_of(data), timezone.now()
        customer_id = data.get("customer")
        applied = entered(
            request,
            customer_id,
            code,
            lambda: offers.validate(text=code, customer_id=customer_id, purchase=purchase, at=now),
        )
        known = Use(
            lines=list(applied.lines),
            free=list(applied.free),
            discount_cents=applied.discount_cents,
            shipping_cents=applied.shipping_cents,
            held_back_cents=applied.held_back_cents,
            basket=data.get("basket", []),
        )
        return Response(DiscountOut(figures(known), context=self.get_serializer_context()).data)


class CodeRedeem(CodeView):
    @extend_schema(request=RedeemIn, responses={201: UseOut})
    @idempotent(required=True)
    def post(self, request: Request, code: str) -> Response:
        """Use the code. 409 says by its `code` why it cannot be used: it is used up, expired, for somebody else …"""
        data, now = self.body(RedeemIn, request), timezone.now()
        minutes = data.get("hold_minutes")
        use = entered(
            request,
            data["customer"],
            code,
            lambda: offers.redeem(
                text=code,
                customer_id=data["customer"],
                key=own_key(request),
                at=now,
                purchase=purchase_of(data),
                until=now + timedelta(minutes=minutes) if minutes else None,
            ),
        )
        return Response(self.shown(use), status=status.HTTP_201_CREATED)


class CodeConfirm(CodeView):
    @extend_schema(request=ConfirmIn, responses={200: UseOut})
    @idempotent(required=False)
    def post(self, request: Request, code: str) -> Response:
        """Make a use of a reservation. Confirming twice changes nothing."""
        data = self.body(ConfirmIn, request)
        use = of_code(code).filter(pk=data["use"]).first()
        if use is None:
            raise Http404
        try:
            confirmed = offers.confirm(use_id=use.pk, reference=data.get("order", ""), at=timezone.now())
        except Refused as refusal:
            raise Conflict(str(refusal), code=refusal.code) from None
        return Response(self.shown(confirmed))


class CodeRelease(CodeView):
    serializer_class = ReleasedOut

    @extend_schema(request=ReleaseIn, responses={200: ReleasedOut})
    @idempotent(required=False)
    def post(self, request: Request, code: str) -> Response:
        """Give a use back: caps and budgets get it again. Twice is once."""
        data = self.body(ReleaseIn, request)
        uses = of_code(code)
        if "use" in data:
            uses = uses.filter(pk=data["use"])
        else:
            uses = uses.filter(customer_id=data["customer"], reference=data["order"])
        known = list(uses.order_by("pk").values_list("pk", "state"))
        if not known:
            raise Http404
        live = [pk for pk, state in known if state != Use.State.RELEASED]
        for pk in live:
            offers.release(use_id=pk, at=timezone.now())
        return Response(ReleasedOut({"released": len(live)}).data)


def of_code(text: str) -> Any:
    """The uses of a code that was typed; none of one that nobody knows."""
    return Use.objects.filter(code__code=codes.normalise(text) or "?")


def purchase_of(data: Mapping[str, Any]) -> Purchase:
    items = [Item(**line) for line in data["basket"]] if "basket" in data else None
    return Purchase(items=items, shipping_cents=data.get("shipping", 0), reference=data.get("order", ""))


def own_key(request: Request) -> str:
    """The caller's key, apart from those of others."""
    return "api:" + idempotency.fingerprint(str(request.auth.pk), key_of(request, required=True) or "")


def entered(request: Request, customer_id: int | None, text: str, action: Callable[[], T]) -> T:
    """The action on the code that somebody entered, its refusals as answers of the API."""
    is_person = customer_id is not None
    who = f"customer:{customer_id}" if is_person else f"key:{request.auth.pk}"
    try:
        most = attempts.MOST_OF_A_PERSON if is_person else attempts.MOST_OF_MANY
        return attempts.entering(who, text, action, most=most)
    except Refused as refusal:
        raise Conflict(str(refusal), code=refusal.code) from None
    except BadBasket as problem:
        raise ValidationError({"basket": [ErrorDetail(str(problem), code="bad_basket")]}) from None
    except KeyReused as problem:
        raise Unprocessable(str(problem), code="idempotency_mismatch") from None
    except TooManyAttempts as problem:
        raise Throttled(problem.seconds, str(problem)) from None


def told(use: Use) -> dict[str, Any]:
    return {"id": use.pk, "code": use.code.shown, "state": use.state, "until": use.until, **figures(use)}


def figures(use: Use) -> dict[str, Any]:
    """Lines are those of the basket; without one there are none."""
    lines = [
        {"sku": line["sku"], "quantity": Decimal(line["quantity"]), "discount": cents}
        for line, cents in zip(use.basket, use.lines, strict=False)
    ]
    return {
        "discount": use.discount_cents,
        "shipping": use.shipping_cents,
        "lines": lines,
        "free": [{"sku": sku, "quantity": quantity} for sku, quantity in use.free],
        "held_back": use.held_back_cents,
    }
