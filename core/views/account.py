"""What people change of their own account; passwords and second factors are allauth's pages."""

from allauth.usersessions.internal.flows.sessions import end_sessions
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import gettext as _

from core.forms.account import ProfileForm
from core.http import DeskRequest


def profile(request: DeskRequest) -> HttpResponse:
    """Name and language. The language goes into the cookie, too, so that the sign-in page speaks it."""
    user = request.user
    form = ProfileForm(request.POST or None, initial={"name": user.name, "language": user.language})
    if not form.is_valid():
        return render(request, "core/profile.html", {"form": form})
    user.name, user.language = form.cleaned_data["name"], form.cleaned_data["language"]
    user.save(update_fields=["name", "language"])
    response = redirect("account_profile")
    if user.language:
        translation.activate(user.language)
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, user.language, max_age=365 * 86_400, samesite="Lax")
    else:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
    messages.success(request, _("Saved."))
    return response


def session_end(request: DeskRequest, pk: int) -> HttpResponse:
    """Sign one of one's own devices out; others' sessions are as if they were not there."""
    end_sessions(request, [get_object_or_404(UserSession, pk=pk, user=request.user)])
    messages.success(request, _("That device is signed out."))
    return redirect("usersessions_list")
