"""Referrals for staff: what a person has to look at, all of them, and the terms."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_POST

from core.http import DeskRequest
from loyalty import naming
from loyalty.forms.referral import CancelForm, PlanForm, StepForm
from loyalty.models import Referral, ReferralStep
from loyalty.selectors import addresses
from loyalty.selectors import referrals as found
from loyalty.services import referrals

PER_PAGE: Final = 50
State = Referral.State
TABS: Final = {
    "held": (gettext_lazy("To be looked at"), (State.HELD,)),
    "pending": (pgettext_lazy("referrals", "Waiting"), (State.PENDING,)),
    "converted": (gettext_lazy("Have ordered"), (State.CONVERTED,)),
    "rewarded": (pgettext_lazy("referrals", "Rewarded"), (State.REWARDED,)),
    "ended": (gettext_lazy("Came to nothing"), (State.EXPIRED, State.REFUSED, State.REVERSED, State.CANCELLED)),
    "all": (pgettext_lazy("referrals", "All"), tuple(State)),
}


def referral_list(request: DeskRequest) -> HttpResponse:
    counts = dict(Referral.objects.values_list("state").annotate(number=Count("pk")))
    numbers = {name: sum(counts.get(state, 0) for state in states) for name, (_label, states) in TABS.items()}
    tab = request.GET.get("tab", "held" if numbers["held"] else "all")
    label, states = TABS.get(tab, TABS["all"])
    rows = Referral.objects.filter(state__in=states).select_related("advocate", "friend").order_by("-claimed_at", "-pk")
    context = {
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "tab": tab,
        "title": label,
        "tabs": [(name, text, numbers[name]) for name, (text, _states) in TABS.items()],
        "none_at_all": not numbers["all"],
        "plan": found.plan(),
        "steps": ReferralStep.objects.order_by("friends"),
    }
    return render(request, "loyalty/referral_list.html", context)


def referral_detail(request: DeskRequest, pk: int) -> HttpResponse:
    return _detail(request, pk, CancelForm())


def _detail(request: DeskRequest, pk: int, form: CancelForm, status: int = 200) -> HttpResponse:
    rows = Referral.objects.select_related("advocate", "friend", "code", "decided_by")
    one = get_object_or_404(rows, pk=pk)
    names = dict(Referral.Reason.choices)
    context = {
        "one": one,
        "reasons": [names.get(reason, reason) for reason in one.reasons],
        "people": [_side(one.advocate, one.advocate_points), _side(one.friend, one.friend_points)],
        "there": addresses.others(advocate_id=one.advocate_id, friend_id=one.friend_id) if one.reasons else [],
        "others": Referral.objects.filter(advocate=one.advocate).exclude(pk=pk).count(),
        "cancel_form": form,
    }
    return render(request, "loyalty/referral_detail.html", context, status=status)


def _side(customer: Any, worth: int) -> dict[str, Any]:
    return {
        "customer": customer,
        "emails": list(customer.emails.order_by("pk")),
        "phones": list(customer.phones.order_by("pk")),
        "orders": customer.orders.filter(~Q(status="cancelled")).count(),
        "points": worth,
    }


@require_POST
def referral_release(request: DeskRequest, pk: int) -> HttpResponse:
    done = _("Released: it counts like any other now.")
    return _decide(request, pk, lambda: referrals.release(referral_id=pk, by=request.user, at=timezone.now()), done)


@require_POST
def referral_cancel(request: DeskRequest, pk: int) -> HttpResponse:
    form = CancelForm(request.POST)
    if not form.is_valid():
        return _detail(request, pk, form, status=400)
    note, done = form.cleaned_data["note"], naming.said(_("Cancelled: nobody gets %(points)s for it."))
    return _decide(
        request, pk, lambda: referrals.cancel(referral_id=pk, by=request.user, at=timezone.now(), note=note), done
    )


def _decide(request: DeskRequest, pk: int, decide: Callable[[], Referral], done: str) -> HttpResponse:
    get_object_or_404(Referral, pk=pk)
    try:
        decide()
    except referrals.AlreadyDecided:
        messages.error(request, _("Somebody has decided this already."))
        return redirect("loyalty:referral_detail", pk=pk)
    messages.success(request, done)
    return redirect("loyalty:referral_list")


@transaction.atomic
def referral_terms(request: DeskRequest) -> HttpResponse:
    plan = referrals.locked_plan() if request.method == "POST" else found.plan()
    form = PlanForm(request.POST or None, plan=plan, business=request.business)
    if request.method == "POST" and form.is_valid():
        told = {name: form.cleaned_data[name] for name in (*form.base_fields,) if name != "made_from"}
        told["least_cents"] = told.pop("least")
        referrals.set_terms(terms=referrals.Terms(**told), at=timezone.now())
        messages.success(request, _("The terms are saved. They hold for friends who order from now on."))
        return redirect("loyalty:referral_list")
    return _terms(request, form, StepForm())


def _terms(request: DeskRequest, form: PlanForm, step_form: StepForm) -> HttpResponse:
    context = {"form": form, "step_form": step_form, "steps": ReferralStep.objects.order_by("friends")}
    status = 400 if form.errors or step_form.errors else 200
    return render(request, "loyalty/referral_terms.html", context, status=status)


@require_POST
def referral_step(request: DeskRequest) -> HttpResponse:
    """Add a step or change it; `remove` takes one away, and leaves the points that it brought."""
    if "remove" in request.POST:
        number = request.POST["remove"]
        chosen = ReferralStep.objects.filter(pk=int(number[:18]) if number.isascii() and number.isdecimal() else 0)
        chosen.delete()
        messages.success(request, naming.said(_("The step is gone. %(Points)s that it brought stay.")))
        return redirect("loyalty:referral_terms")
    form = StepForm(request.POST)
    if not form.is_valid():
        return _terms(request, PlanForm(plan=found.plan(), business=request.business), form)
    referrals.set_step(**form.cleaned_data)
    messages.success(request, _("The step is saved."))
    return redirect("loyalty:referral_terms")
