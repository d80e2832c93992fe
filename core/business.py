"""The business settings row, read once per request and given to templates; pages speak in its time zone."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from core.models import Business


def current() -> Business:
    """The business settings. The row is made with its defaults on first use."""
    business, _ = Business.objects.get_or_create(id=1)
    return business


def last_complete_day(*, business: Business, at: datetime) -> date:
    """The last business date that is over at `at`: yesterday in the business's time zone."""
    return (at.astimezone(business.zone) - timedelta(days=1)).date()


def context(request: HttpRequest) -> dict[str, Any]:
    return {"business": getattr(request, "business", None)}


class BusinessTimeMiddleware:
    """Loads the settings row once and makes its zone the zone of the page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/static/"):
            return self.get_response(request)
        business = current()
        request.business = business  # type: ignore[attr-defined]
        with timezone.override(business.zone):
            return self.get_response(request)
