"""For machines: is the process alive, is it ready for callers, how is it doing."""

import secrets
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from core import health, metrics, pulse
from core.models import Role


@login_not_required
@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 or 503 with what each part says. Silent workers are named but turn nobody away: pages work without them."""
    ready, parts = health.ready()
    body = {"ready": ready, "parts": parts}
    if parts.get("postgres") == health.OK and parts.get("migrations") == health.OK:
        body["workers"] = pulse.said(at=timezone.now())
    return JsonResponse(body, status=200 if ready else 503, headers={"Cache-Control": "no-store"})


@login_not_required
@require_safe
def metrics_text(request: HttpRequest) -> HttpResponse:
    """For METRICS_TOKEN as a bearer token, and for a signed-in admin; nobody else."""
    if not _may_scrape(request):
        return HttpResponse("Send METRICS_TOKEN as a bearer token.\n", status=401, content_type="text/plain")
    return HttpResponse(metrics.text(), content_type=CONTENT_TYPE_LATEST)


def _may_scrape(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if settings.METRICS_TOKEN and secrets.compare_digest(given.encode(), settings.METRICS_TOKEN.encode()):
        return True
    return getattr(request.user, "role", None) == Role.ADMIN


class ProbeMiddleware:
    """Answers /livez and /readyz before anything else does: no session, no database, no redirect to HTTPS."""

    VIEWS = {"/livez": livez, "/readyz": readyz}

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.VIEWS.get(request.path, self.get_response)(request)
