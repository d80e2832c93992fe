"""`webhooks`: the receivers, what they are told, the log of it, and sending again."""

from typing import Any, Final

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django_filters import filters
from django_filters.filterset import FilterSet
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.errors import Conflict
from core.api.fields import Flag, Id, Moment, Text, Whole
from core.api.idempotent import idempotent
from core.api.serializers import StrictSerializer
from core.api.views import ApiView, ListView, refuse_body
from core.models import Delivery, Webhook
from core.webhooks import managing, words
from core.webhooks.addresses import Forbidden

BODY: Final = {"url": "https://shop.example.com/events", "description": "The shop", "events": ["ping"]}
TRY: Final = {"at": "2026-03-01T12:00:01+00:00", "status": 503, "ms": 84, "said": "Service Unavailable"}


class WebhookOut(StrictSerializer):
    id = Id(source="pk")
    url = Text()
    description = Text()
    events = serializers.ListField(child=Text(), help_text="The kinds that it is told of; empty: every kind.")
    state = serializers.ChoiceField(
        choices=Webhook.State.choices, help_text="`gone`: the receiver answered 410. Send `active` to go on."
    )
    created_at = Moment()


class NewWebhookOut(WebhookOut):
    secret = Text(help_text="Checks the signature of each message (Standard Webhooks). It is not told again.")


@extend_schema_serializer(examples=[OpenApiExample("A receiver", value=BODY, request_only=True)])
class WebhookIn(StrictSerializer):
    url = Text(max_length=500, help_text="Public, and by https.")
    description = Text(max_length=120, required=False, allow_blank=True)
    events = serializers.ListField(
        child=Text(max_length=40), required=False, max_length=50, help_text="Kinds of events; none: every kind."
    )
    active = Flag(required=False, help_text="Without it: as it is. `false`: what happens waits.")


class SecretOut(StrictSerializer):
    secret = Text(help_text="The one before signs beside it for 24 hours.")


class TryOut(StrictSerializer):
    at = Moment()
    status = Whole(help_text="Of the receiver's answer; 0 when there was none.")
    ms = Whole()
    said = Text(help_text="How the answer began, or what went wrong.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "One that is tried again",
            value={
                "id": "81",
                "event": "msg_5f0e2d7c9b3a4e1f8a6b7c8d9e0f1a2b",
                "kind": "ping",
                "state": "pending",
                "attempts": 1,
                "ready_at": "2026-03-01T12:00:06Z",
                "settled_at": None,
                "tries": [TRY],
            },
            response_only=True,
        )
    ]
)
class DeliveryOut(StrictSerializer):
    id = Id(source="pk")
    event = serializers.SerializerMethodField(help_text="The header `webhook-id`, the same in every try.")
    kind = Text(source="event.kind")
    state = serializers.ChoiceField(choices=Delivery.State.choices)
    attempts = Whole()
    ready_at = Moment(help_text="When it is tried next, while it waits.")
    settled_at = Moment(allow_null=True)
    tries = TryOut(many=True, source="log")

    def get_event(self, delivery: Delivery) -> str:
        return f"msg_{delivery.event.uid.hex}"


class DeliveryFilter(FilterSet):
    state = filters.ChoiceFilter(choices=Delivery.State.choices, label="What became of it.")


class WebhookList(ListView):
    serializer_class = WebhookOut
    queryset = Webhook.objects.all()

    def get(self, request: Request) -> Response:
        """Webhooks, the newest first."""
        return super().get(request)

    @extend_schema(request=WebhookIn, responses={201: NewWebhookOut})
    @idempotent(required=False)
    def post(self, request: Request) -> Response:
        """Tell a receiver of events from now on. The answer holds the secret, once."""
        told = _taken(self, request)
        is_active = told.pop("active", True)
        try:
            webhook = managing.create(**_all(told), by=None, at=timezone.now())
        except managing.TooMany:
            raise Conflict(words.FULL % {"most": managing.MOST}, code="too_many") from None
        if not is_active:
            managing.pause(webhook=webhook)
            webhook.state = Webhook.State.PAUSED
        return Response(NewWebhookOut(webhook, context=self.get_serializer_context()).data, status=201)


class WebhookDetail(ApiView):
    serializer_class = WebhookOut

    def get(self, request: Request, pk: int) -> Response:
        """One webhook."""
        return Response(self.get_serializer(get_object_or_404(Webhook, pk=pk)).data)

    @extend_schema(request=WebhookIn, responses=WebhookOut)
    def put(self, request: Request, pk: int) -> Response:
        """Change a webhook; what waits for it goes to the new address."""
        webhook = get_object_or_404(Webhook, pk=pk)
        told = _taken(self, request)
        is_active = told.pop("active", None)
        managing.change(webhook=webhook, **_all(told))
        if is_active is not None:
            (managing.resume if is_active else managing.pause)(webhook=webhook)
        return Response(self.get_serializer(Webhook.objects.get(pk=pk)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Remove a webhook with its log."""
        get_object_or_404(Webhook, pk=pk).delete()
        return Response(status=204)


class WebhookSecret(ApiView):
    serializer_class = SecretOut

    @extend_schema(request=None, responses={200: SecretOut})
    def post(self, request: Request, pk: int) -> Response:
        """A new secret. The old one signs beside it for 24 hours."""
        refuse_body(request)
        secret = managing.rotate(webhook=get_object_or_404(Webhook, pk=pk), at=timezone.now())
        return Response({"secret": secret})


class WebhookTest(ApiView):
    serializer_class = DeliveryOut

    @extend_schema(request=None, responses={201: DeliveryOut})
    def post(self, request: Request, pk: int) -> Response:
        """Send the event `ping` to this webhook."""
        refuse_body(request)
        delivery = managing.try_out(webhook=get_object_or_404(Webhook, pk=pk), at=timezone.now())
        return Response(self.get_serializer(delivery).data, status=201)


class DeliveryList(ListView):
    serializer_class = DeliveryOut
    filterset_class = DeliveryFilter

    def get_queryset(self) -> QuerySet[Delivery]:
        if getattr(self, "swagger_fake_view", False):  # the API's description has no number to look for
            return Delivery.objects.none()
        webhook = get_object_or_404(Webhook, pk=self.kwargs["pk"])
        return Delivery.objects.filter(webhook=webhook).select_related("event")

    def get(self, request: Request, pk: int) -> Response:
        """What this webhook was told or is about to be, the newest first. Kept for 30 days, given up ones for 90."""
        return super().get(request, pk=pk)


class DeliveryReplay(ApiView):
    serializer_class = DeliveryOut

    @extend_schema(request=None, responses={200: DeliveryOut})
    def post(self, request: Request, pk: int, delivery: int) -> Response:
        """Send once more what was delivered or given up."""
        refuse_body(request)
        found = get_object_or_404(Delivery.objects.select_related("webhook", "event"), pk=delivery, webhook_id=pk)
        if not managing.replay(webhook=found.webhook, at=timezone.now(), delivery_id=delivery):
            raise Conflict(_("It is still being tried."), code="not_settled")
        found.refresh_from_db()
        return Response(self.get_serializer(found).data)


def _taken(view: ApiView, request: Request) -> dict[str, Any]:
    """The body, with its address and kinds looked at. Raises ValidationError."""
    body = WebhookIn(data=request.data, context=view.get_serializer_context())
    body.is_valid(raise_exception=True)
    told: dict[str, Any] = body.validated_data
    try:
        managing.check(url=told["url"], events=told.get("events", ()))
    except Forbidden as error:
        raise ValidationError({"url": [ErrorDetail(words.refusal(error.code), code=error.code)]}) from None
    except managing.UnknownKind as error:
        detail = _("There is no kind of event called “%(kind)s”. There are: %(kinds)s.")
        detail %= {"kind": error, "kinds": ", ".join(managing.kinds())}
        raise ValidationError({"events": [ErrorDetail(detail, code="unknown_kind")]}) from None
    return told


def _all(told: dict[str, Any]) -> dict[str, Any]:
    return {"description": "", "events": [], **told}
