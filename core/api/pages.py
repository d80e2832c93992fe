"""Lists in pages, each starting from the last row of the one before (core.paging)."""

from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from core import paging

USUAL_LIMIT: Final = 50
MOST: Final = 200


class Pages(BasePagination):
    """Newest first by id; a view with a method `phases(queryset)` says how else its rows are sorted."""

    parameters: ClassVar = frozenset({"cursor", "limit"})

    def paginate_queryset(self, queryset: QuerySet[Any], request: Request, view: APIView | None = None) -> list[Any]:
        sort = getattr(view, "phases", None)
        phases = sort(queryset) if sort else [paging.Phase(rows=queryset, descending=True)]
        cursor = request.query_params.get("cursor", "")
        if cursor and not paging.is_readable(phases, cursor):
            raise ValidationError({"cursor": [ErrorDetail(_("This cursor cannot be read."), code="invalid")]})
        self.page = paging.page(phases, cursor=cursor, size=limit_of(request))
        self.address = request.build_absolute_uri()
        return [row for _number, row in self.page.rows]

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {"next": self._link(self.page.next), "previous": self._link(self.page.previous), "results": data}
        )

    def _link(self, cursor: str) -> str | None:
        return replace_query_param(self.address, "cursor", cursor) if cursor else None

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "format": "uri", "nullable": True}
        example = "https://crm.example.com/api/v1/customers/?cursor=WzAsMCxudWxsLDQyXQ"
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": link | {"example": example},
                "previous": link | {"example": None},
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        limit = {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL_LIMIT}
        return [
            _parameter("cursor", {"type": "string"}, "Where the page starts: take it from `next` or `previous`."),
            _parameter("limit", limit, "Rows on a page."),
        ]


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def limit_of(request: Request) -> int:
    """`limit` of the query. Raises ValidationError for what is not a number from 1 to MOST."""
    text = request.query_params.get("limit")
    if text is None:
        return USUAL_LIMIT
    if text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= MOST:
        return int(text)
    raise ValidationError({"limit": [ErrorDetail(_("Ask for 1 to %s rows.") % MOST, code="invalid")]})
