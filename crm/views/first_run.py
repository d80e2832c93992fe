"""The way into an empty home, and from the demo to one's own data."""

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from core import first_run
from core.forms.account import FirstAdminForm, OwnDataForm
from core.forms.business import BusinessForm
from core.http import DeskRequest, wants_part
from core.models import Job
from crm import own_data
from crm.demo import accounts
from crm.views import business

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@login_not_required
@never_cache
@sensitive_post_parameters("you-password")
def welcome_first(request: DeskRequest, token: str) -> HttpResponseBase:
    """The first page of an empty home. Once there is an admin nobody finds it, token or not."""
    if not (first_run.is_open() and first_run.fits(token)):
        raise Http404
    you, form = FirstAdminForm(request.POST or None, prefix="you"), business.form_for(request, request.business)
    valid = [you.is_valid(), form.is_valid()]
    if all(valid):
        return _begin(request, you, form)
    return render(request, "crm/welcome_first.html", {"you": you, "form": form})


def _begin(request: DeskRequest, you: FirstAdminForm, form: BusinessForm) -> HttpResponse:
    try:
        user = first_run.begin(**you.cleaned_data, row=form.settings)
    except first_run.AlreadyBegun:
        messages.error(request, _("Somebody else was faster and is the admin now. Ask them to invite you."))
        return redirect("account_login")
    login(request, user, BACKEND)
    return redirect("desk:today")


@never_cache
@sensitive_post_parameters("you-password")
def own_data_page(request: DeskRequest) -> HttpResponse:
    """Say what goes and what stays, take the demo away, and show how far that is."""
    job = own_data.last_job()
    if own_data.is_at_work():
        return render(request, "crm/_clearing.html" if wants_part(request) else "crm/clearing.html", {"job": job})
    if not request.business.is_demo:
        return _go_on(request)
    you = FirstAdminForm(request.POST or None, prefix="you") if accounts.is_made(request.user) else None
    form = OwnDataForm(request.POST or None)
    if form.is_valid() and (you is None or you.is_valid()):
        return _start(request, you)
    failed = job if job is not None and job.state == Job.State.DEAD else None
    return render(
        request, "crm/own_data.html", {"you": you, "form": form, "going": own_data.counts(), "failed": failed}
    )


def _start(request: DeskRequest, you: FirstAdminForm | None) -> HttpResponse:
    admin = own_data.NewAdmin(**you.cleaned_data) if you else None
    try:
        user = own_data.start(by=request.user, admin=admin, at=timezone.now())
    except own_data.NoDemo:
        return _go_on(request)
    if user.pk != request.user.pk:
        login(request, user, BACKEND)
    return redirect("desk:own_data")


def _go_on(request: DeskRequest) -> HttpResponse:
    """To the form of the business. A part of a page cannot redirect its page: htmx is told to."""
    if wants_part(request):
        return HttpResponse(headers={"HX-Redirect": reverse("desk:welcome")})
    return redirect("desk:welcome")
