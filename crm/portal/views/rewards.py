"""What points buy: look, confirm, and a page with the code that stays."""

import uuid

import segno
from django.db import OperationalError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from crm.portal.door import PortalRequest, for_customer
from crm.portal.forms import RedeemForm
from crm.portal.selectors import home
from crm.portal.selectors import shelf as shelves
from loyalty import codes, naming
from loyalty.models import Redemption
from loyalty.problems import LedgerProblem
from loyalty.selectors import redemptions
from loyalty.services import rewards as services
from loyalty.services.refusals import Refused, what_became

LATEST = 20


@for_customer
def reward_list(request: PortalRequest) -> HttpResponse:
    context = {
        "shelf": shelves.shelf(request.customer, at=timezone.now()),
        "mine": redemptions.of_customer(request.customer.pk, most=LATEST),
    }
    return render(request, "me/rewards.html", context)


@for_customer
def reward_confirm(request: PortalRequest, pk: int) -> HttpResponse:
    """The price and what is left after it; one more tap redeems. The token makes a second tap the first one again."""
    if not request.programme.is_open:
        raise Http404
    shelf = shelves.shelf(request.customer, at=timezone.now())
    one = next((one for one in shelf.offered if one.reward.pk == pk), None)
    if one is None:
        raise Http404
    form = RedeemForm(request.POST or None, initial={"token": uuid.uuid4()})
    if form.is_valid() and (made := _redeemed(request, form, pk)):
        return redirect("me:redemption", pk=made.pk)
    context = {"one": one, "after": shelf.points.balance - one.points, "form": form}
    return render(request, "me/reward_confirm.html", context)


def _redeemed(request: PortalRequest, form: RedeemForm, reward_id: int) -> Redemption | None:
    customer_id = request.customer.pk
    try:
        done = services.redeem(
            wish=services.Wish(customer_id=customer_id, reward_id=reward_id),
            key=f"portal:{customer_id}:{form.cleaned_data['token']}",
            at=timezone.now(),
            place=Redemption.Place.PORTAL,
            by=request.user.pk,
        )
    except (Refused, LedgerProblem) as refusal:
        form.add_error(None, str(refusal))
    except OperationalError:  # somebody else is at the same points, for longer than three seconds
        form.add_error(None, naming.said(_("Your %(points)s are in use elsewhere just now. Try again in a moment.")))
    else:
        return done.redemption
    return None


@for_customer
def redemption(request: PortalRequest, pk: int) -> HttpResponse:
    """The code as text and to scan, until when it is good, and what became of it. A refresh shows the same."""
    found = Redemption.objects.select_related("reward", "offer_code").filter(customer=request.customer)
    one = get_object_or_404(found, pk=pk)
    is_open = home.is_open(one, at=timezone.now())
    context = {
        "one": one,
        "state": what_became(one),
        "code": codes.shown(one.code),
        "is_open": is_open,
        "qr": qr(one.code) if is_open else "",
    }
    return render(request, "me/redemption.html", context)


def qr(text: str) -> SafeString:
    """The text as a square to scan, in attributes that a policy without inline styles lets through."""
    svg: str = segno.make(text, error="m", micro=False).svg_inline(
        border=0, omitsize=True, svgclass=None, lineclass=None
    )
    return mark_safe(svg)  # noqa: S308 - segno's own, of a code of ours
