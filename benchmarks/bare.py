"""The project's own server with one view more: authenticated, on the plain REST framework, one INSERT. A floor."""

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


TABLE = {**access.TABLE, "api:bare": {"POST": ANY}}
urlpatterns = [
    path("api/", include(([path("v1/bare/", Bare.as_view(), name="bare"), *api_urls.urlpatterns], "api"))),
    *own.urlpatterns,
]
handler400, handler500 = own.handler400, own.handler500
