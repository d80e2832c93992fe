"""What a key may do stands in the route table: per route and method the scopes of which one is enough."""

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from rest_framework.exceptions import MethodNotAllowed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from core.access import Anyone, Methods, methods_of, route_of
from core.models import ApiKey


class AsDeclared(BasePermission):
    """Closed unless declared: no key 401, an undeclared route or a missing scope 403, another method 405."""

    def has_permission(self, request: Request, view: object) -> bool:
        methods = declared(request)
        allowed = methods.get("GET" if request.method == "HEAD" else str(request.method))
        if allowed is not None and Anyone.PUBLIC in allowed:
            return True
        if not isinstance(request.auth, ApiKey):
            return False
        if allowed is None:
            raise MethodNotAllowed(str(request.method))
        if allowed.isdisjoint(request.auth.scopes):
            raise PermissionDenied(_("The key needs one of these scopes: %s.") % ", ".join(sorted(allowed)))
        return True


def declared(request: Request) -> Methods:
    """What the table says of the request's route. Raises PermissionDenied for a route that nobody declared."""
    methods = methods_of(table=import_string(settings.ACCESS_TABLE), route=route_of(request._request))  # noqa: SLF001
    if methods is None:
        raise PermissionDenied
    return methods
