"""`points/{customer}`: what there is, a dry run, redeeming, holds, and adjustments."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.errors import Conflict, Unprocessable
from core.api.idempotent import idempotent
from core.api.views import ApiView, refuse_body
from customers.api.orders import taken
from customers.models import Customer
from loyalty.api import point_shapes as shapes
from loyalty.api.codes import own_key
from loyalty.api.people import who
from loyalty.baskets import BadBasket, BasketLine
from loyalty.models import Adjustment, Redemption
from loyalty.problems import InsufficientPoints, KeyReused, LedgerProblem
from loyalty.selectors import basket_lines, cards, points, quotes
from loyalty.selectors.basket_lines import Item
from loyalty.services import adjustments, rewards
from loyalty.services.refusals import NotOffered, Refused
from loyalty.services.rewards import Done, Wish

T = TypeVar("T")
BAD: tuple[type[LedgerProblem], ...] = (adjustments.ReasonMissing,)


class PointsView(ApiView):
    def body(self, serializer: type[Any], request: Request) -> dict[str, Any]:
        return taken(serializer(data=request.data, context=self.get_serializer_context()))

    def shown(self, done: Done, *, code: int = status.HTTP_200_OK) -> Response:
        body = shapes.RedeemedOut(told(done), context=self.get_serializer_context()).data
        return Response(body, status=code)


class Points(PointsView):
    serializer_class = shapes.AccountOut

    @extend_schema(operation_id="points_retrieve")
    def get(self, request: Request, customer: int) -> Response:
        """A customer's balance, tier and lots, as they are now."""
        customer = who(customer)
        at = timezone.now()
        card, earned = cards.card(customer, at=at), cards.earned_12m(customer, at=at)
        return Response(self.get_serializer({"points": card.points, "tier": card.tier, "earned_12m": earned}).data)


class PointsQuote(PointsView):
    serializer_class = shapes.QuoteOut

    @extend_schema(request=shapes.QuoteIn, responses={200: shapes.QuoteOut}, operation_id="points_quote")
    def post(self, request: Request, customer: int) -> Response:
        """What a basket would earn, what points could take off it, and which rewards are within reach."""
        customer = who(customer)
        lines = self.lines(self.body(shapes.QuoteIn, request))
        business = request.business  # type: ignore[attr-defined]
        quote = quotes.quote(customer_id=customer, lines=lines, business=business, at=timezone.now())
        return Response(self.get_serializer(quote).data)

    def lines(self, data: dict[str, Any]) -> list[BasketLine]:
        items = [Item(**line) for line in data.get("basket", ())]
        try:
            return basket_lines.read(items, business=self.request.business) if items else []  # type: ignore[attr-defined]
        except BadBasket as problem:
            raise ValidationError({"basket": [ErrorDetail(str(problem), code="bad_basket")]}) from None


class PointsRedeem(PointsView):
    serializer_class = shapes.RedeemedOut

    @extend_schema(request=shapes.WishIn, responses={201: shapes.RedeemedOut}, operation_id="points_redeem")
    @idempotent(required=True)
    def post(self, request: Request, customer: int) -> Response:
        """Spend points on a reward, or on money off by the programme's rate. 409 says by its `code` why not."""
        return self.shown(self.made(request, customer, rewards.redeem), code=status.HTTP_201_CREATED)

    def made(self, request: Request, customer: int, make: Callable[..., Done]) -> Done:
        asked = self.body(shapes.WishIn, request)
        wish = Wish(
            customer_id=customer,
            points=asked.get("points"),
            reward_id=asked.get("reward"),
            reference=asked.get("order", ""),
        )
        return answered(
            lambda: make(wish=wish, key=own_key(request), at=timezone.now(), place=Redemption.Place.API), customer
        )


class PointsHolds(PointsRedeem):
    @extend_schema(request=shapes.WishIn, responses={201: shapes.RedeemedOut}, operation_id="points_hold")
    @idempotent(required=True)
    def post(self, request: Request, customer: int) -> Response:
        """Set points and the reward aside for the minutes of the programme; commit or release them before."""
        return self.shown(self.made(request, customer, rewards.hold), code=status.HTTP_201_CREATED)


class PointsCommit(PointsView):
    serializer_class = shapes.RedeemedOut

    @extend_schema(request=None, responses={200: shapes.RedeemedOut}, operation_id="points_commit")
    @idempotent(required=False)
    def post(self, request: Request, customer: int, pk: int) -> Response:
        """What was held is spent. The same again changes nothing; a hold that ran out or was released is a 409."""
        refuse_body(request)
        return self.ended(customer, pk, rewards.commit)

    def ended(self, customer: int, pk: int, end: Callable[..., Done]) -> Response:
        one = get_object_or_404(Redemption, pk=pk, customer=customer, hold_id__isnull=False)
        return self.shown(answered(lambda: end(redemption_id=one.pk, at=timezone.now()), customer))


class PointsRelease(PointsCommit):
    @extend_schema(request=None, responses={200: shapes.RedeemedOut}, operation_id="points_release")
    @idempotent(required=False)
    def post(self, request: Request, customer: int, pk: int) -> Response:
        """What was held goes back. The same again changes nothing; a hold that was committed is a 409."""
        refuse_body(request)
        return self.ended(customer, pk, rewards.release)


class PointsAdjust(PointsView):
    serializer_class = shapes.AdjustedOut

    @extend_schema(
        request=shapes.AdjustIn,
        responses={201: shapes.AdjustedOut, 202: shapes.AdjustedOut},
        operation_id="points_adjust",
    )
    @idempotent(required=True)
    def post(self, request: Request, customer: int) -> Response:
        """Give or take points by hand, active at once; above the programme's limit somebody else decides."""
        asked, at = self.body(shapes.AdjustIn, request), timezone.now()
        customer = who(customer)
        facts = asked | {"key": own_key(request), "program": request.auth}
        made = answered(lambda: adjustments.adjust(customer_id=customer, at=at, **facts), customer)
        is_done = made.state == Adjustment.State.DONE
        told = {"id": made.pk, "points": made.points, "state": made.state}
        balance = points.standing(customer_id=customer, at=at).balance
        body = self.get_serializer(told | {"balance": balance}).data
        return Response(body, status=status.HTTP_201_CREATED if is_done else status.HTTP_202_ACCEPTED)


def answered(action: Callable[[], T], customer: int) -> T:
    """The action, its refusals as answers. Only somebody who has no points may be nobody at all."""
    try:
        return action()
    except KeyReused as problem:
        raise Unprocessable(str(problem), code="idempotency_mismatch") from None
    except InsufficientPoints as problem:
        if not Customer.objects.filter(pk=customer).exists():
            raise Http404 from None
        raise Conflict(str(problem), code=problem.code) from None
    except NotOffered as problem:
        raise _not_offered(problem) from None
    except Refused as problem:
        raise Conflict(str(problem), code=problem.code) from None
    except LedgerProblem as problem:
        attr = "reason" if isinstance(problem, BAD) else "points"
        raise ValidationError({attr: [ErrorDetail(str(problem), code=problem.code)]}) from None


def _not_offered(problem: NotOffered) -> Exception:
    """A reward that nobody has is a bad field; one that is not offered now is a matter of time."""
    if problem.reward is None:
        return ValidationError({"reward": [ErrorDetail(str(problem), code="does_not_exist")]})
    return Conflict(str(problem), code=problem.code)


def told(done: Done) -> dict[str, Any]:
    one = done.redemption
    has_code = one.reward_id is not None and one.state != Redemption.State.HELD
    return {
        "id": one.pk,
        "reward": one.reward_id,
        "points": one.points,
        "money_off": one.money_off_cents,
        "balance": done.balance,
        "state": one.state,
        "code": (one.voucher or one.code) if has_code else None,
        "expires_at": one.expires_at if one.state == Redemption.State.HELD else None,
    }
