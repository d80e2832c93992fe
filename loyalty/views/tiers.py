from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.http import DeskRequest
from customers.models import Customer
from loyalty.forms import tier as forms
from loyalty.forms.tier import BaseTierRows, BirthdayForm, HandForm, PlanForm, TierRows
from loyalty.models import TierPlan
from loyalty.selectors import tier_census, tier_values
from loyalty.selectors import tiers as found
from loyalty.services import birthdays, tier_rules, tiers
from loyalty.services.tier_rules import Proposal

LATEST = 8
CODE_DAYS = 30
PAGE_ROWS = 50


def tier_list(request: DeskRequest) -> HttpResponse:
    return _list(request, BirthdayForm(instance=birthdays.gift()))


def _list(request: DeskRequest, form: BirthdayForm) -> HttpResponse:
    plan, own = tier_values.plan(), tier_values.in_use()
    members = found.members()
    census = tier_census.census(at=timezone.now()) if own else None
    near = census.near() if census else {}
    context = {
        "plan": plan,
        "in_money": plan.qualify_by == TierPlan.By.MONEY,
        "rows": [(tier, members.get(tier.pk, 0), near.get(tier.rank - 1, 0)) for tier in reversed(own)],
        "census": census,
        "members": sum(members.values()),
        "latest": found.history()[:LATEST],
        "job": tier_rules.at_work(),
        "birthday_form": form,
    }
    return render(request, "loyalty/tier_list.html", context, status=422 if form.errors else 200)


@require_POST
@transaction.atomic
def birthday_gift(request: DeskRequest) -> HttpResponse:
    form = BirthdayForm(request.POST, instance=birthdays.locked())
    if not form.is_valid():
        return _list(request, form)
    told = form.cleaned_data
    birthdays.set_gift(
        amount=told["points"], tier=told["tier"], offer=told["offer"], code_days=told["code_days"] or CODE_DAYS
    )
    messages.success(request, _("Saved."))
    return redirect("loyalty:tier_list")


def tier_rules_edit(request: DeskRequest) -> HttpResponse:
    """One form for the rules and all tiers. “Show what changes” looks, “Save” writes."""
    plan = tier_values.plan()
    form, rows = _forms(request, plan)
    preview = None
    if request.method == "POST" and _are_valid(form, rows):
        proposal, may_lower = forms.proposal(form, rows), form.cleaned_data["may_lower"]
        if "save" in request.POST and _is_saved(request, form, proposal):
            if unmet := _preview(proposal, may_lower=may_lower)["unmet"]:
                messages.warning(request, forms.nobody_in(unmet))
            return redirect("loyalty:tier_list")
        if not form.errors:
            preview = _preview(proposal, may_lower=may_lower)
    context: dict[str, Any] = {"form": form, "rows": rows, "preview": preview, "job": tier_rules.at_work()}
    return render(request, "loyalty/tier_rules.html", context, status=422 if form.errors or not _is_fine(rows) else 200)


def _forms(request: DeskRequest, plan: TierPlan) -> tuple[PlanForm, BaseTierRows]:
    currency, in_money = request.business.currency, plan.qualify_by == TierPlan.By.MONEY
    data = request.POST if request.method == "POST" else None
    initial = forms.rows_of(tier_values.in_use(), in_money=in_money, currency=currency)
    rows: Any = TierRows(data, initial=initial, prefix="tiers", form_kwargs={"currency": currency})
    return PlanForm(data, instance=plan, initial={"made_from": plan.revision}), rows


def _are_valid(form: PlanForm, rows: BaseTierRows) -> bool:
    if not (form.is_valid() & rows.is_valid()):
        return False
    return rows.check(in_money=form.cleaned_data["qualify_by"] == TierPlan.By.MONEY)


def _is_fine(rows: BaseTierRows) -> bool:
    return not rows.is_bound or not (any(rows.errors) or rows.non_form_errors())


def _is_saved(request: DeskRequest, form: PlanForm, proposal: Proposal) -> bool:
    try:
        job = tier_rules.save(
            proposal=proposal,
            made_from=form.cleaned_data["made_from"],
            may_lower=form.cleaned_data["may_lower"],
            by=request.user,
            at=timezone.now(),
        )
    except tier_rules.DoNotRise:
        form.add_error(None, _("Two tiers have the same name, or begin at the same value."))
    except tier_rules.ChangedMeanwhile:
        form.add_error(None, _("Somebody else changed the rules meanwhile. Open this page again to see them."))
    else:
        text = _("Saved. Everybody's tier is being looked at again.") if job else _("Saved.")
        messages.success(request, text)
    return not form.errors


def _preview(proposal: Proposal, *, may_lower: bool) -> dict[str, Any]:
    seen = tier_census.preview(
        of=proposal.scheme,
        multipliers=[item.multiplier for item in proposal.ranked],
        may_lower=may_lower,
        at=timezone.now(),
    )
    ranked = [(item, seen.by_rank.get(rank, 0)) for rank, item in enumerate(proposal.ranked, start=1)]
    unmet = [item.name for item, number in ranked if not number]
    return {
        "seen": seen,
        "tiers": list(reversed(ranked)),
        "none": seen.by_rank.get(0, 0),
        "unmet": unmet,
        "warning": forms.nobody_in(unmet),
    }


def tier_moves(request: DeskRequest) -> HttpResponse:
    page = Paginator(found.history(), PAGE_ROWS).get_page(request.GET.get("page"))
    return render(request, "loyalty/tier_moves.html", {"page": page})


def tier_give(request: DeskRequest, pk: int) -> HttpResponse:
    """A tier by hand, with a reason and an end."""
    customer = get_object_or_404(Customer, pk=pk)
    form = HandForm(request.POST or None)
    if form.is_valid():
        told = form.cleaned_data
        try:
            tiers.set_by_hand(customer_id=pk, **told, by=request.user, business=request.business, at=timezone.now())
        except tiers.NotATier:
            form.add_error("until", forms.not_a_tier())
        else:
            messages.success(request, _("%(customer)s is in %(tier)s.") % {"customer": customer, "tier": told["tier"]})
            return redirect(customer)
    context = {
        "customer": customer,
        "form": form,
        "progress": found.progress(pk, timezone.now()),
        "moves": found.history(pk)[:LATEST],
    }
    return render(request, "loyalty/tier_give.html", context, status=422 if form.errors else 200)
