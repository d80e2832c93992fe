"""By whose code a customer came, when she says it to somebody at the counter."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.http import DeskRequest
from customers.models import Customer
from loyalty import naming
from loyalty.forms.claim import ClaimForm
from loyalty.models import Referral
from loyalty.referral_refusals import Refused
from loyalty.services import referrals


def referral_claim(request: DeskRequest, pk: int) -> HttpResponse:
    """What is refused keeps the code as it was typed, and says why."""
    customer = get_object_or_404(Customer, pk=pk)
    form = ClaimForm(request.POST or None)
    back = reverse("loyalty:till_customer", args=[pk]) if "till" in request.GET else customer.get_absolute_url()
    if form.is_valid() and (made := _claimed(form, customer)) is not None:
        if made.state == Referral.State.HELD:
            messages.warning(request, naming.said(_("Noted. Somebody has to look at it before there are %(points)s.")))
        else:
            messages.success(request, _("Noted: the first order counts for both."))
        return redirect(back)
    told = {"customer": customer, "form": form, "back": back}
    return render(request, "loyalty/referral_claim.html", told, status=422 if form.errors else 200)


def _claimed(form: ClaimForm, customer: Customer) -> Referral | None:
    """Without an internet address: at the counter everybody comes from the shop's own."""
    try:
        return referrals.claim(text=form.cleaned_data["code"], customer_id=customer.pk, at=timezone.now())
    except Refused as refusal:
        form.add_error("code", refusal.to_staff)
        return None
