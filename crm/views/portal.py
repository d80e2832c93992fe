"""A customer's own page as staff see it: who comes in, since when, and inviting somebody."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from core import staff_mails
from core.http import DeskRequest, wants_part
from customers.models import Customer, PortalAccess
from customers.selectors import people
from customers.services import portal


def customer_portal(request: DeskRequest, pk: int) -> HttpResponse:
    customer = get_object_or_404(Customer, pk=pk)
    ways = list(PortalAccess.objects.select_related("user").filter(customer=customer).order_by("pk"))
    context = {"customer": customer, "ways": ways, "addresses": people.contacts(pk).emails}
    return render(request, "crm/_portal.html" if wants_part(request) else "crm/customer_portal.html", context)


@require_POST
def portal_invite(request: DeskRequest, pk: int) -> HttpResponse:
    """Say that the address is this customer's, and mail the way to the page."""
    customer = get_object_or_404(Customer, pk=pk)
    address = request.POST.get("address", "")
    try:
        access = portal.invite(customer_id=pk, address=address, at=timezone.now())
    except portal.PortalError as error:
        messages.error(request, str(error))
        return redirect(customer)
    if _invited(request, access, customer):
        messages.success(request, _("An invitation is on its way to %s.") % access.address)
    else:
        messages.warning(request, _("The page is open to %s, but no mail could be sent.") % access.address)
    return redirect(customer)


def _invited(request: DeskRequest, access: PortalAccess, customer: Customer) -> bool:
    """In the customer's language, or the shop's where it has none."""
    wanted = customer.locale.partition("-")[0].partition("_")[0]
    with translation.override(wanted if wanted in dict(settings.LANGUAGES) else translation.get_language()):
        return staff_mails.send(
            to=access.address,
            subject=_("Your page at %(shop)s") % {"shop": request.business.name},
            template="me/mail/invitation",
            context={"business": request.business, "link": request.build_absolute_uri(reverse("me:sign_in"))},
        )


@require_POST
def portal_close(request: DeskRequest, pk: int) -> HttpResponse:
    customer = get_object_or_404(Customer, pk=pk)
    closed = portal.close(customer_id=pk)
    said = ngettext("%(number)s way in is closed.", "%(number)s ways in are closed.", closed) % {"number": closed}
    messages.success(request, said)
    return redirect(customer)
