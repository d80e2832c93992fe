"""How exceptions become answers: in the REST framework, and where Django fails before it or outside of it."""

from typing import Any, Final

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from drf_standardized_errors.handler import ExceptionHandler
from psycopg.errors import DeadlockDetected, LockNotAvailable

from core.api.errors import Busy

PREFIX: Final = "/api/"


class Handler(ExceptionHandler):
    def convert_known_exceptions(self, exc: Exception) -> Exception:
        if isinstance(exc, OperationalError) and isinstance(exc.__cause__, LockNotAvailable | DeadlockDetected):
            return Busy()
        return super().convert_known_exceptions(exc)


def answer(*, kind: str, code: str, detail: str, status: int) -> JsonResponse:
    """An error that is met outside the REST framework."""
    return JsonResponse({"type": kind, "errors": [{"code": code, "detail": detail, "attr": None}]}, status=status)


def server_error(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """The project's handler500: programs get JSON, people get the page."""
    if request.path.startswith(PREFIX):
        return answer(kind="server_error", code="error", detail="Server Error (500)", status=500)
    return defaults.server_error(request, *args, **kwargs)


def bad_request(request: HttpRequest, exception: Exception, *args: Any, **kwargs: Any) -> HttpResponse:
    """The project's handler400."""
    if request.path.startswith(PREFIX):
        return answer(kind="client_error", code="bad_request", detail="Bad Request (400)", status=400)
    return defaults.bad_request(request, exception, *args, **kwargs)
