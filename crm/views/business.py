"""The settings of the business, and the page that sets it up for the first time."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from core import business, edits
from core.forms.business import BusinessForm, values_of
from core.http import DeskRequest
from core.models import Business
from crm.selectors import first_steps, nights


def business_settings(request: DeskRequest) -> HttpResponse:
    return _business_page(request, template="crm/business.html", leads_to="desk:business")


def welcome(request: DeskRequest) -> HttpResponse:
    """The same form for somebody who starts with an empty home: from here it goes on to the first steps."""
    return _business_page(request, template="crm/welcome.html", leads_to="desk:today")


@transaction.atomic
def _business_page(request: DeskRequest, *, template: str, leads_to: str) -> HttpResponse:
    row = business.locked() if request.method == "POST" else request.business
    form = form_for(request, row)
    if form.is_valid() and save(form, row):
        messages.success(request, _("The settings are saved."))
        return redirect(leads_to)
    return render(request, template, {"form": form, "row": row, "is_behind": nights.is_behind_settings()})


def form_for(request: DeskRequest, row: Business) -> BusinessForm:
    return BusinessForm(
        request.POST or None,
        initial=values_of(row),
        fixed=first_steps.has_facts(),
        edited=lambda: edits.last_words(Business, row.pk),
    )


def save(form: BusinessForm, row: Business) -> bool:
    """Write what the form says; False, with the reason in the form, where the first order came in meanwhile."""
    try:
        business.change(row=row, settings=form.settings)
    except business.ZoneAndCurrencyAreFixed:
        form.add_error(None, _("An order or a contract came in meanwhile, so time zone and currency are fixed now."))
        return False
    return True
