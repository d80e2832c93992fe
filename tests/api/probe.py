"""Routes for the tests of the API's base: a list, a thing that repeats what it was sent, an effect, and a failure."""

from django.urls import include, path, re_path
from rest_framework.response import Response

from core.access import Anyone
from core.api import fields
from core.api.errors import Conflict
from core.api.idempotent import idempotent
from core.api.serializers import StrictSerializer
from core.api.views import ApiView, ListView, Unknown
from core.models import Change
from core.scopes import opening


class LineSerializer(StrictSerializer):
    sku = fields.Text(max_length=20)
    quantity = fields.Whole(min_value=1, max_value=1000)


class ThingSerializer(StrictSerializer):
    id = fields.Id(required=False)
    name = fields.Text(max_length=20, required=False)
    price = fields.Money(required=False)
    unit_price = fields.Price(required=False, least=None)
    is_new = fields.Flag(required=False)
    at = fields.Moment(required=False)
    made_at = fields.Moment(read_only=True)
    lines = LineSerializer(many=True, required=False)


class Echo(ApiView):
    serializer_class = ThingSerializer
    parameters = frozenset({"colour"})

    def get(self, request):
        return Response({"colour": request.query_params.get("colour")})

    def post(self, request):
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(serializer.data)


class ChangeSerializer(StrictSerializer):
    id = fields.Id(read_only=True)
    kind = fields.Text(max_length=24)


class Changes(ListView):
    serializer_class = ChangeSerializer
    queryset = Change.objects.all()


class Effect(ApiView):
    serializer_class = ChangeSerializer

    @idempotent(required=True)
    def post(self, request):
        change = Change.objects.create(kind=request.data["kind"], object_id=1)
        if change.kind == "conflict":
            raise Conflict(code="not_now")
        return Response(ChangeSerializer(change).data, status=201)


class Failure(ApiView):
    serializer_class = ThingSerializer

    def get(self, request):
        raise RuntimeError("a secret")


probes = [
    path("v1/echo/", Echo.as_view(), name="echo"),
    path("v1/echo/<str:name>/", Echo.as_view(), name="echo_named"),
    path("v1/changes/", Changes.as_view(), name="changes"),
    path("v1/effects/", Effect.as_view(), name="effects"),
    path("v1/failure/", Failure.as_view(), name="failure"),
    path("v1/undeclared/", Echo.as_view(), name="undeclared"),
    re_path("", Unknown.as_view(), name="unknown"),
]
urlpatterns = [path("api/", include((probes, "api")))]
handler400 = "core.api.handlers.bad_request"
handler500 = "core.api.handlers.server_error"

READ = {"GET": opening("orders:read")}
TABLE = {
    "api:echo": READ | {"POST": opening("orders")},
    "api:echo_named": READ,
    "api:changes": READ,
    "api:effects": {"POST": opening("orders")},
    "api:failure": READ,
    "api:unknown": {"GET": frozenset({Anyone.PUBLIC})},
}
