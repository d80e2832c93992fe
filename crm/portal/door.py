"""The door of `/me/`: who comes in sees their own, and nothing else can be asked for."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpResponseBase
from django.urls import reverse_lazy
from django.views.decorators.cache import never_cache

from core.http import DeskRequest
from customers.models import Customer, PortalAccess
from loyalty.models import Programme
from loyalty.selectors import programme, referrals

View = Callable[..., HttpResponseBase]


class PortalRequest(DeskRequest):
    access: PortalAccess
    customer: Customer
    programme: Programme
    refers: bool  # whether customers can recommend


def for_customer(view: View) -> View:
    """Gives the view `request.customer`, whose rows alone it may read. Guests are sent to the customers' sign-in.

    A customer who was archived is refused at the next click. Days are the business's, by which points are judged.
    """

    @wraps(view)
    def opened(request: PortalRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        found = PortalAccess.objects.select_related("customer").filter(user=request.user, customer__archived_at=None)
        access = found.first()
        if access is None:
            raise PermissionDenied
        request.access, request.customer = access, access.customer
        request.programme = programme.current()
        request.refers = request.programme.is_running and referrals.is_open()
        return view(request, *args, **kwargs)

    opened.login_url = reverse_lazy("me:sign_in")  # type: ignore[attr-defined]
    return never_cache(opened)
