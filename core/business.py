"""The business settings row, read once per request and given to templates; pages speak in its time zone."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.conf import settings as django_settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from core.models import Business


def current() -> Business:
    """The business settings. The row is made with its defaults on first use."""
    business, _ = Business.objects.get_or_create(id=1)
    return business


# What people may set. The rest of the row is ours.
SETTINGS: Final = (
    "name",
    "kind",
    "time_zone",
    "currency",
    "prices_include_tax",
    "margin_rate",
    "discount_rate",
    "churn_horizon_days",
)
FIXED: Final = "zone_and_currency_are_fixed_once_orders_exist"


class ZoneAndCurrencyAreFixed(Exception):
    """Orders or contracts exist: their dates and amounts would mean something else under another zone or currency."""


def locked() -> Business:
    """The row under a lock: for a transaction that decides by it and then writes it."""
    return Business.objects.select_for_update(no_key=True).get(pk=current().pk)


@transaction.atomic
def change(*, row: Business, settings: Mapping[str, Any]) -> None:
    """Write the settings that differ. Raises ZoneAndCurrencyAreFixed when the trigger refuses."""
    changed = [name for name in SETTINGS if name in settings and getattr(row, name) != settings[name]]
    for name in changed:
        setattr(row, name, settings[name])
    try:
        with transaction.atomic():
            row.save(update_fields=changed)
    except IntegrityError as error:
        if getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) == FIXED:
            raise ZoneAndCurrencyAreFixed from error
        raise


def last_complete_day(*, business: Business, at: datetime) -> date:
    """The last business date that is over at `at`: yesterday in the business's time zone."""
    return (at.astimezone(business.zone) - timedelta(days=1)).date()


def context(request: HttpRequest) -> dict[str, Any]:
    return {"business": getattr(request, "business", None), "outbox": django_settings.OUTBOX}


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
