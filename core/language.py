"""The language that a person chose for themselves; who chose none gets the browser's (Django's LocaleMiddleware)."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from core.models import User


class LanguageMiddleware:
    """Comes after the sign-in is read. A language that this installation does not have is as none.

    Programs are answered in one language, whatever their client sends.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = "en" if request.path.startswith("/api/") else getattr(request.user, "language", "")
        if chosen in dict(settings.LANGUAGES):
            translation.activate(chosen)
            request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)


@login_not_required
@require_POST
def language_set(request: HttpRequest) -> HttpResponse:
    """Speak another language and stay on the page; the browser remembers it, and so does an account."""
    chosen = request.POST.get("language")
    if isinstance(request.user, User) and chosen in dict(settings.LANGUAGES):
        request.user.language = chosen
        request.user.save(update_fields=["language"])
    return set_language(request)
