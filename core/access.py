"""Who may call what: one table of route × method × role, and the middleware that enforces it.

The table maps a route's name to the roles that each method is open to. A route that is not in the table is closed to
everybody, so that a page somebody forgot to declare cannot be opened by accident.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeAlias

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.utils.module_loading import import_string

from core.models import Role


class Anyone(StrEnum):
    """Callers without a role: everybody who asks, and everybody signed in."""

    PUBLIC = "public"
    SIGNED_IN = "signed-in"


Allowed: TypeAlias = frozenset[str]
Table: TypeAlias = Mapping[str, Mapping[str, Allowed]]

EVERY_ROLE: frozenset[str] = frozenset(Role.values)


def allowed(*, table: Table, route: str, method: str) -> Allowed | None:
    """The roles that may call `method` on `route`; None when the method is not declared there."""
    methods = table.get(route, {})
    return methods.get("GET" if method == "HEAD" else method)


class AccessMiddleware:
    """Refuses what the table does not allow: 404 for an undeclared route, 405 for a method, 403 for a role."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.table: Table = import_string(settings.ACCESS_TABLE)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: object, kwargs: object
    ) -> HttpResponseBase | None:
        route = request.resolver_match.view_name if request.resolver_match else ""
        methods = self.table.get(route) or self.table.get(route.split(":")[0] + ":*")
        if methods is None:
            raise PermissionDenied(f"The route {route or request.path} is not in the access table.")
        roles = allowed(table={route: methods}, route=route, method=request.method or "")
        if roles is None:
            return HttpResponseNotAllowed(sorted(methods))
        if not self.may(request, roles):
            raise PermissionDenied
        return None

    def may(self, request: HttpRequest, roles: Allowed) -> bool:
        """Whether the caller has one of `roles`. Guests pass here to the sign-in redirect, not to the page."""
        if Anyone.PUBLIC in roles or not request.user.is_authenticated:
            return True
        return Anyone.SIGNED_IN in roles or request.user.role in roles
