"""The page behind the bell: what needs a person now, and what did lately."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from core import alert_texts, alerts, pulse
from core.http import DeskRequest
from core.models import Role


def alert_list(request: DeskRequest) -> HttpResponse:
    now = timezone.now()
    shown = [alert_texts.shown(alert) for alert in alerts.listed(request.user, at=now)]
    context = {
        "open_alerts": [alert for alert in shown if alert.closed_at is None],
        "closed_alerts": [alert for alert in shown if alert.closed_at is not None],
        "silence": pulse.silence(at=now),
        "gets_mails": request.user.role == Role.ADMIN,
        "wants_mail": alerts.wants_mail(request.user),
    }
    return render(request, "core/alert_list.html", context)


@require_POST
def alert_read(request: DeskRequest) -> HttpResponse:
    """Mark one alert (`alert`) or all open ones as seen by this person."""
    given = request.POST.get("alert", "")
    alerts.mark_read(user=request.user, ids=[int(given)] if given.isdecimal() and len(given) < 19 else None)
    return redirect("settings:alert_list")


@require_POST
def alert_mail(request: DeskRequest) -> HttpResponse:
    alerts.set_mail(user=request.user, wanted=request.POST.get("wanted") == "1")
    return redirect("settings:alert_list")
