from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from crm.portal import addresses, codes
from crm.portal.door import PortalRequest, for_customer
from crm.portal.forms import CodeForm, NewAddressForm


@for_customer
def address(request: PortalRequest) -> HttpResponse:
    """Ask for another address to sign in with. It says the same whether or not somebody has it already."""
    form = NewAddressForm(request.POST or None, own=request.access.address)
    if form.is_valid():
        if addresses.ask(request, access=request.access, address=form.cleaned_data["email"]):
            return redirect("me:address_code")
        form.add_error(None, _("Too many codes were asked for. Wait an hour, then try again."))
    return render(request, "me/address.html", {"form": form})


@sensitive_post_parameters("code")
@for_customer
def address_code(request: PortalRequest) -> HttpResponse:
    wanted = addresses.asked(request)
    if request.method != "POST":
        return _page(request, CodeForm(), wanted) if wanted else redirect("me:address")
    if limited := ratelimit.consume_or_429(request, action="confirm_login_code"):
        return limited
    form = CodeForm(request.POST)
    given, at = form.data.get("code", ""), timezone.now()
    outcome = addresses.confirm(request, access=request.access, given=given, at=at)
    if outcome is codes.Outcome.SIGNED_IN:
        messages.success(request, _("From now on you sign in with %(address)s.") % {"address": wanted})
        response = redirect("me:profile")
        codes.remember(response, address=wanted)
        return response
    if outcome is codes.Outcome.WRONG:
        form.add_error("code", _("This is not the code. Look into the newest mail from us."))
        return _page(request, form, wanted)
    messages.warning(request, _("That code is no longer good. Ask for a new one."))
    return redirect("me:address")


def _page(request: PortalRequest, form: CodeForm, wanted: str) -> HttpResponse:
    minutes = settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT // 60
    return render(request, "me/address_code.html", {"form": form, "address": wanted, "minutes": minutes})
