from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _

from crm.portal.door import PortalRequest, for_customer
from crm.portal.forms import ProfileForm
from crm.portal.selectors import own_data
from customers import birthdays
from customers.models import PortalAccess
from customers.selectors import people
from customers.services import portal


@for_customer
def profile(request: PortalRequest) -> HttpResponse:
    customer, user = request.customer, request.user
    known = people.contacts(customer.pk)
    initial = {
        "name": customer.name,
        "phone": next(iter(known.phones), ""),
        "birthday": birthdays.shown(customer.birthday),
        "language": user.language,
        "time_zone": customer.time_zone,
    }
    form = ProfileForm(request.POST or None, initial=initial, country=customer.country)
    if form.is_valid():
        return _saved(request, form.cleaned_data)
    ways = PortalAccess.objects.filter(customer=customer).order_by("pk")
    return render(request, "me/profile.html", {"form": form, "ways": ways})


def _saved(request: PortalRequest, told: dict[str, str]) -> HttpResponse:
    language = told["language"]
    portal.change_profile(
        customer_id=request.customer.pk,
        name=told["name"],
        phone=told["phone"],
        locale=language or request.customer.locale,
        time_zone=told["time_zone"],
        birthday=told["birthday"],
    )
    request.user.language = language
    request.user.save(update_fields=["language"])
    response = redirect("me:profile")
    if language:
        translation.activate(language)
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, max_age=365 * 86_400, samesite="Lax")
    messages.success(request, _("Saved."))
    return response


@for_customer
def export(request: PortalRequest) -> FileResponse:
    """Everything that is kept about the customer, as a file."""
    return FileResponse(own_data.archive(request.customer), as_attachment=True, filename="my-data.zip")
