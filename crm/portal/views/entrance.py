"""In and out: a code by mail, one page to ask for it and one to type it in."""

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from core import staff
from core.http import DeskRequest
from core.models import User
from crm.portal import codes
from crm.portal.forms import AddressForm, CodeForm


@login_not_required
@never_cache
def sign_in(request: DeskRequest) -> HttpResponse:
    if isinstance(request.user, User) and request.user.is_customer:
        return redirect("me:home")
    form = AddressForm(request.POST or None)
    if form.is_valid():
        if codes.ask(request, address=form.cleaned_data["email"]):
            return redirect("me:code")
        form.add_error(None, _("Too many codes were sent to this address. Wait ten minutes, then ask again."))
    return _entrance(request, "me/sign_in.html", form)


@login_not_required
@never_cache
@sensitive_post_parameters("code")
def code(request: DeskRequest) -> HttpResponse:
    address = codes.asked(request)
    if request.method != "POST":
        return _entrance(request, "me/code.html", CodeForm(), address) if address else redirect("me:sign_in")
    if limited := ratelimit.consume_or_429(request, action="confirm_login_code"):
        return limited
    form = CodeForm(request.POST)
    outcome = codes.confirm(request, given=form.data.get("code", ""), at=timezone.now())
    if outcome is codes.Outcome.SIGNED_IN:
        response = redirect("me:home")
        codes.remember(response, address=address)
        return response
    if outcome is codes.Outcome.WRONG:
        form.add_error("code", _("This is not the code. Look into the newest mail from us."))
        return _entrance(request, "me/code.html", form, address)
    return redirect(f"{reverse('me:sign_in')}?over=1")  # who pressed twice is in already, and goes on from there


def _entrance(request: DeskRequest, template: str, form: AddressForm | CodeForm, address: str = "") -> HttpResponse:
    context = {"form": form, "address": address, "minutes": settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT // 60}
    return render(request, template, context)


@login_not_required
@require_POST
def sign_out(request: DeskRequest) -> HttpResponse:
    """From here, or from everywhere. Who is not in is not turned away, and staff stay in."""
    if not getattr(request.user, "is_customer", False):
        return redirect("me:sign_in")
    if "everywhere" in request.POST:
        staff.end_sessions(user=request.user)
    logout(request)
    messages.success(request, _("You are signed out."))
    return redirect("me:sign_in")
