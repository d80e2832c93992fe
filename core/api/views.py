"""The base of every API view: strict about what it is asked, the same headers on every answer."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, NotFound, ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.mixins import ListModelMixin
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.pages import Pages
from core.api.parsers import MAX_BODY_BYTES
from core.models import ApiKey, Business


class ApiRequest(HttpRequest):
    """The request as API views see it, once a key was accepted."""

    auth: ApiKey
    business: Business
    data: Any
    query_params: Mapping[str, str]


class ApiView(GenericAPIView):  # type: ignore[type-arg]
    """Declare `serializer_class`, for lists `queryset` or `phases`, `filterset_class`, and methods.

    `parameters` are query parameters beside those of the filters and the pages; any other is refused.
    """

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    asks_the_table: ClassVar[bool] = True  # core.access leaves the decision to core.api.permissions
    parameters: ClassVar[frozenset[str]] = frozenset()
    filterset_class: ClassVar[Any] = None
    pagination_class: type[BasePagination] | None = None
    max_body_bytes: ClassVar[int] = MAX_BODY_BYTES

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if any("\0" in value for value in kwargs.values() if isinstance(value, str)):
            raise NotFound
        super().initial(request, *args, **kwargs)
        refuse_parameters(request, known=self.known_parameters(request))

    def known_parameters(self, request: Request) -> frozenset[str]:
        if request.method not in {"GET", "HEAD"}:
            return self.parameters
        filters = self.filterset_class.get_filters() if self.filterset_class else ()
        pages = getattr(self.paginator, "parameters", ())
        return self.parameters.union(filters, pages)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers["Cache-Control"] = "no-store"
        quota = getattr(request, "quota", None)
        for name, value in quota.headers.items() if quota else ():
            response.headers[name] = value
        return response


def refuse_parameters(request: Request, *, known: frozenset[str]) -> None:
    """Raises ValidationError for a query parameter that is unknown, named twice, or holds a NUL."""
    errors: dict[str, list[ErrorDetail]] = {}
    for name, values in request.query_params.lists():
        if name not in known:
            errors[name] = [ErrorDetail(_("There is no such parameter."), code="unknown_parameter")]
        elif len(values) > 1:
            errors[name] = [ErrorDetail(_("Name this parameter once."), code="repeated_parameter")]
        elif "\0" in values[0]:
            errors[name] = [ErrorDetail(_("A text holds a NUL character."), code="null_characters_not_allowed")]
    if errors:
        raise ValidationError(errors)


def refuse_body(request: Request) -> None:
    """For methods that take no body. Raises ValidationError for whatever stands in one."""
    if request.data and not isinstance(request.data, Mapping):
        raise ValidationError([ErrorDetail(_("This takes no body."), code="invalid")])
    unknown = {name: [ErrorDetail(_("There is no such field."), code="unknown_field")] for name in request.data}
    if unknown:
        raise ValidationError(unknown)


class ListView(ListModelMixin, ApiView):
    """A list in pages: `get` answers `{"next", "previous", "results"}`. Newest first, unless `phases` say otherwise."""

    pagination_class = Pages

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.list(request, *args, **kwargs)


class Unknown(ApiView):
    """Any other address under the API's prefix, so that programs get a 404 that they can read."""

    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound(_("There is no such address. Addresses end with a slash."))
