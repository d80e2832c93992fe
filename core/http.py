"""The request as the views see it: after sign-in, with the business and htmx's headers read."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from core.models import Business, User


class DeskRequest(HttpRequest):
    user: User
    business: Business
    htmx: HtmxDetails


def wants_part(request: DeskRequest) -> bool:
    """Whether htmx asks for a part of the page. A restored history entry needs all of it."""
    return bool(request.htmx) and not request.htmx.history_restore_request and not request.htmx.boosted
