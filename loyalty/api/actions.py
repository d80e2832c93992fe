"""`points/{customer}/actions`: what a customer did for points, told by the program that saw it."""

from typing import Any, Final

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import status
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.fields import Text, Whole
from core.api.idempotent import idempotent
from core.api.serializers import StrictSerializer
from core.api.views import ApiView
from customers.api.orders import taken
from loyalty.api.codes import own_key
from loyalty.api.people import who
from loyalty.selectors import points
from loyalty.services import actions

BODY: Final = {"action": "review"}


@extend_schema_serializer(examples=[OpenApiExample("A review", value=BODY, request_only=True)])
class ActIn(StrictSerializer):
    action = Text(max_length=40, help_text="Its code, as staff wrote it.")


@extend_schema_serializer(examples=[OpenApiExample("Points", value={"points": 50, "balance": 790}, response_only=True)])
class ActOut(StrictSerializer):
    """201: points were given. 200: none, because the action rests or counts no more often."""

    points = Whole()
    balance = Whole()


class PointsActions(ApiView):
    serializer_class = ActOut

    @extend_schema(request=ActIn, responses={200: ActOut, 201: ActOut}, operation_id="points_act")
    @idempotent(required=True)
    def post(self, request: Request, customer: int) -> Response:
        """Points for something that the customer did. Each `Idempotency-Key` counts once, for ever."""
        asked: dict[str, Any] = taken(ActIn(data=request.data, context=self.get_serializer_context()))
        customer = who(customer)
        at = timezone.now()
        try:
            given = actions.act(customer_id=customer, action=asked["action"], key=own_key(request), at=at)
        except actions.UnknownAction as problem:
            raise ValidationError({"action": [ErrorDetail(str(problem), code="does_not_exist")]}) from None
        balance = points.standing(customer_id=customer, at=at).balance
        body = self.get_serializer({"points": given.points if given else 0, "balance": balance}).data
        return Response(body, status=status.HTTP_201_CREATED if given else status.HTTP_200_OK)
