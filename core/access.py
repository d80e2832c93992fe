"""Who may call what: one table of route × method × role, and the middleware that enforces it.

The table maps a route's name to the roles that each method is open to; for the API, to scopes of keys. A route that is
not in the table is closed to everybody, so that a page somebody forgot to declare cannot be opened by accident.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeAlias

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.utils.module_loading import import_string

from core.models import CUSTOMER, Role, User


class Anyone(StrEnum):
    """Callers told apart by something else than a role: all who ask, all staff signed in, all who may take data out."""

    PUBLIC = "public"
    SIGNED_IN = "signed-in"
    MAY_EXPORT = "may-export"


Allowed: TypeAlias = frozenset[str]
Methods: TypeAlias = Mapping[str, Allowed]
Table: TypeAlias = Mapping[str, Methods]

EVERY_ROLE: Allowed = frozenset(Role.values)


def methods_of(*, table: Table, route: str) -> Methods | None:
    """What the table says of a route: by its name, or by its namespace (`admin:*`); None when it is not declared."""
    return table.get(route) or table.get(route.split(":")[0] + ":*")


def names_of(user: User | AnonymousUser) -> Allowed:
    """Every name under which the table may let somebody in. A guest has one; a customer has but their own beside it."""
    if not isinstance(user, User):
        return frozenset({Anyone.PUBLIC})
    if user.is_customer:
        return frozenset({Anyone.PUBLIC, CUSTOMER})
    exports = {Anyone.MAY_EXPORT} if user.can_export else set()
    return frozenset({Anyone.PUBLIC, Anyone.SIGNED_IN, user.role, *exports})


def route_of(request: HttpRequest) -> str:
    return request.resolver_match.view_name if request.resolver_match else ""


def may(*, roles: Allowed, user: User | AnonymousUser) -> bool:
    """Whether somebody is among `roles`."""
    return not roles.isdisjoint(names_of(user))


class AccessMiddleware:
    """Refuses what the table does not allow: 403 for an undeclared route or a role, 405 for a method.

    Guests are sent to the sign-in page before they come here (Django's LoginRequiredMiddleware). The API reads the same
    table with the caller's key (core.api.permissions) and answers in JSON.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.table: Table = import_string(settings.ACCESS_TABLE)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: object, kwargs: object
    ) -> HttpResponseBase | None:
        if getattr(getattr(view, "cls", None), "asks_the_table", False):
            return None
        route = route_of(request)
        methods = methods_of(table=self.table, route=route)
        if methods is None:
            raise PermissionDenied(f"The route {route or request.path} is not in the access table.")
        roles = methods.get("GET" if request.method == "HEAD" else str(request.method))
        if roles is None:
            return HttpResponseNotAllowed(sorted(methods))
        if not may(roles=roles, user=request.user):
            raise PermissionDenied
        return None
