"""The programme as it is now, and what its settings mean for time."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from core import business
from core.models import Business
from loyalty.expiry import Terms
from loyalty.models import Pause, Programme


def current() -> Programme:
    """The programme's row, made with its defaults on first use. It may not be switched on."""
    programme, _ = Programme.objects.get_or_create(id=1)
    return programme


def context(request: HttpRequest) -> dict[str, Any]:
    """For templates that count points: read only where it is used, and not twice."""
    return {"programme": getattr(request, "programme", None) or SimpleLazyObject(current)}


def is_open() -> bool:
    return Programme.objects.filter(opened_at__isnull=False).exists()


def is_running() -> bool:
    """Switched on, and not paused."""
    return Programme.objects.filter(opened_at__isnull=False, paused_at=None).exists()


def paused(programme: Programme) -> str:
    """The times in which orders earn nothing, as PostgreSQL writes a multirange. One query."""
    over = Pause.objects.filter(counts_orders=False).order_by("began_at").values_list("began_at", "ended_at")
    spans = [f"[{began.isoformat()},{ended.isoformat()})" for began, ended in over]
    if programme.paused_at is not None:
        spans.append(f"[{programme.paused_at.isoformat()},)")
    return "{%s}" % ",".join(spans)  # noqa: UP031 - braces


def terms(programme: Programme, row: Business | None = None) -> Terms:
    """When points become active and expire, in the business's time zone."""
    return Terms(
        zone=(row or business.current()).zone,
        pending_days=programme.pending_days,
        kind=programme.expiry,
        months=programme.expiry_months,
        period=programme.expiry_period,
        month=programme.expiry_month,
        day=programme.expiry_day,
    )
