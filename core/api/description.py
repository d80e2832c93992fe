"""`/api/v1/schema/`: the API's own description. It holds no data, so it is open to everybody."""

import functools
from typing import Any

from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.views import ApiView


@functools.cache
def document() -> dict[str, Any]:
    """OpenAPI 3.0, made once per process: it takes longer than any other answer."""
    with translation.override("en"):
        described: dict[str, Any] = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    return described


class SchemaView(ApiView):
    schema = None

    def get(self, request: Request) -> Response:
        return Response(document())
