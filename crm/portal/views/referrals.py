"""Recommending friends: a customer's own code and link, and the page that the link opens for anybody."""

from typing import Final
from urllib.parse import quote, urlencode

from allauth.account.adapter import get_adapter
from allauth.core import ratelimit
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from crm.portal.door import PortalRequest, for_customer
from crm.portal.forms import FriendForm
from loyalty.models import Referral, ReferralCode
from loyalty.referral_refusals import Refused
from loyalty.selectors import referrals as found
from loyalty.services import invites, referrals

SHOWN: Final = 50


@for_customer
def referral_list(request: PortalRequest) -> HttpResponse:
    """The link with ways to share it, and how far each friend has come."""
    if not request.refers:
        raise Http404
    plan = found.plan()
    at = timezone.now()
    code = referrals.code_for(customer_id=request.customer.pk, at=at)
    link = settings.PUBLIC_URL.rstrip("/") + reverse("invited", args=[code.code])
    context = {
        "plan": plan,
        "code": code,
        "link": link,
        "ways": _ways(link, shop=request.business.name),
        "tally": found.tally(request.customer.pk),
        "friends": [(one, _initials(one)) for one in found.of_advocate(request.customer)[:SHOWN]],
    }
    return render(request, "me/referrals.html", context)


def _ways(link: str, *, shop: str) -> list[tuple[str, str, str]]:
    """(name, icon, address) of each network; all of them are plain links, and none is asked before somebody taps."""
    said = _("I like to shop at %(shop)s. With my link we both get something:") % {"shop": shop}
    text = quote(f"{said} {link}")
    return [
        ("WhatsApp", "brand-whatsapp", f"https://wa.me/?text={text}"),
        ("X", "brand-x", f"https://x.com/intent/post?text={text}"),
        ("Facebook", "brand-facebook", f"https://www.facebook.com/sharer/sharer.php?{urlencode({'u': link})}"),
        (_("E-mail"), "mail", f"mailto:?subject={quote(shop)}&body={text}"),
    ]


def _initials(one: Referral) -> str:
    """A friend's first name: enough to know them again, and what they did here is theirs to tell."""
    return one.friend.name.split()[0] if one.friend.name.strip() else _("A friend")


@login_not_required
@never_cache
def invited(request: HttpRequest, code: str) -> HttpResponse:
    """What a friend's link opens: who recommends, what there is for it, and a field for the own address."""
    try:
        known = invites.open_code(text=code, at=timezone.now())
    except Refused as refused:
        return render(request, "me/invited_over.html", {"said": refused}, status=404)
    form = FriendForm(request.POST or None)
    if form.is_valid():
        if limited := ratelimit.consume_or_429(request, action="open_friends_link"):
            return limited
        told = {"address": form.cleaned_data["email"], "name": form.cleaned_data["name"]}
        invites.ask(code=known, language=get_language() or settings.LANGUAGE_CODE, at=timezone.now(), **told)
        return render(request, "me/invited_sent.html", {"address": told["address"]})
    context = {"form": form, "advocate": _first_name(known), "plan": found.plan()}
    return render(request, "me/invited.html", context, status=400 if form.is_bound else 200)


def _first_name(code: ReferralCode) -> str:
    return code.customer.name.split()[0] if code.customer.name.strip() else ""


@login_not_required
@never_cache
def invited_confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The link of the mail: a button, because scanners follow links too. The button claims."""
    try:
        invite = invites.find(token=token, at=timezone.now())
        if request.method != "POST":
            return render(request, "me/invited_confirm.html", {"invite": invite})
        caller = referrals.caller_of(get_adapter().get_client_ip(request))
        made = invites.accept(token=token, at=timezone.now(), caller=caller)
    except invites.Over:
        said = _("This link was used already, or it is older than a week.")
    except invites.Unclear:
        said = _("We know this address from more than one customer. Ask us, and we will sort it out.")
    except Refused as refused:
        said = str(refused)
    else:
        return render(request, "me/invited_done.html", {"one": made, "plan": found.plan()})
    return render(request, "me/invited_over.html", {"said": said}, status=404)
