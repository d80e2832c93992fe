"""One line for each request: method, route, status, duration, who by number; never the address that was asked for."""

import time
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware

PROBES = frozenset({"/livez", "/readyz", "/metrics"})


class RequestLogMiddleware(RequestMiddleware):
    """django-structlog's middleware with the route's name instead of the path, which may hold keys and search texts."""

    def __call__(self, request: HttpRequest) -> Any:
        if request.path in PROBES or request.path.startswith("/static/"):
            return self.get_response(request)
        request._began = time.monotonic()  # type: ignore[attr-defined]  # noqa: SLF001
        return super().__call__(request)

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        spent = time.monotonic() - request._began  # type: ignore[attr-defined]  # noqa: SLF001
        structlog.contextvars.bind_contextvars(duration_ms=round(1000 * spent))
        super().handle_response(request, response)

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        match = request.resolver_match
        return f"{request.method} {match.view_name if match else '-'}"
