"""The project's own server with floors: authenticated views on the plain REST framework, one INSERT and one UPDATE."""

from django.db import connection
from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.authentication import KeyAuthentication
from core.models import ApiKey
from core.scopes import ANY
from crm import access, api_urls
from crm import urls as own

TABLE_OF_NOTES = "CREATE TABLE bare_note (id bigserial PRIMARY KEY, body text NOT NULL, made_at timestamptz NOT NULL)"
INSERT = "INSERT INTO bare_note (body, made_at) VALUES (%s, now()) RETURNING id"
UPDATE = "UPDATE bare_note SET body = %s WHERE id = %s"


class Bare(APIView):
    asks_the_table = True
    authentication_classes = (KeyAuthentication,)
    permission_classes = ()
    throttle_classes = ()

    def post(self, request: Request) -> Response:
        if not isinstance(request.auth, ApiKey):
            return Response(status=401)
        with connection.cursor() as cursor:
            cursor.execute(INSERT, [request.data["body"]])
            (pk,) = cursor.fetchone()
        return Response({"id": pk}, status=201)


class BareRow(Bare):
    def put(self, request: Request, pk: int) -> Response:
        if not isinstance(request.auth, ApiKey):
            return Response(status=401)
        with connection.cursor() as cursor:
            cursor.execute(UPDATE, [request.data["body"], pk])
        return Response({"id": pk})


TABLE = {**access.TABLE, "api:bare": {"POST": ANY}, "api:bare_row": {"PUT": ANY}}
ROUTES = [
    path("v1/bare/", Bare.as_view(), name="bare"),
    path("v1/bare/<int:pk>/", BareRow.as_view(), name="bare_row"),
]
urlpatterns = [
    path("api/", include(([*ROUTES, *api_urls.urlpatterns], "api"))),
    *own.urlpatterns,
]
handler400, handler500 = own.handler400, own.handler500
