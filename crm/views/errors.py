"""Refusals as pages: customers and their guests see the shop's name and their own pages, staff see theirs."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults

OF_CUSTOMERS: Final = ("/me/", "/r/")


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The project's handler403."""
    return defaults.permission_denied(request, exception, template_name=_of(request, "403.html"))


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The project's handler404."""
    return defaults.page_not_found(request, exception, template_name=_of(request, "404.html"))


def too_many(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The project's handler429."""
    return render(request, _of(request, "429.html"), status=429)


def _of(request: HttpRequest, template: str) -> str:
    user: Any = getattr(request, "user", None)  # none yet, where a middleware refuses
    is_signed_in = user is not None and user.is_authenticated
    is_theirs = user.is_customer if is_signed_in else request.path.startswith(OF_CUSTOMERS)
    return f"me/{template}" if is_theirs else template
