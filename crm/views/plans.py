from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from analytics.forms import plan as forms
from analytics.models import Plan
from analytics.services import plans as services
from core import edits, money
from core.http import DeskRequest
from crm.selectors import nights, plans
from crm.selectors.plans import actions_of
from crm.views.segments import found_group


def plan_list(request: DeskRequest) -> HttpResponse:
    run = nights.current()
    return render(request, "crm/plan_list.html", {"run": run, "plans": plans.all_plans(run) if run else []})


def plan_detail(request: DeskRequest, pk: int) -> HttpResponse:
    """The plan's place is its segment's page."""
    plan = get_object_or_404(Plan.objects.select_related("segment"), pk=pk)
    group = plans.group_of(plan.segment)
    if group is None:
        raise Http404("The segment of this plan is gone.")
    return redirect(f"{group.url}#plan")


def plan_edit(request: DeskRequest, scheme: str, slug: str) -> HttpResponse:
    group = found_group(scheme, slug)
    with transaction.atomic():
        segment = services.segment_row(scheme=scheme, slug=slug, name=group.label)
        is_post = request.method == "POST"
        plan = services.locked(segment=segment) if is_post else Plan.objects.filter(segment=segment).first()
        current = actions_of(plan)
        rows = forms.ActionRows(request.POST if is_post else None, initial=forms.initial(current))
        are_valid = is_post and rows.is_valid()
        form = forms.PlanForm(
            request.POST if is_post else None,
            currency=request.business.currency,
            initial=_initial(plan, request.business.currency),
            beside=forms.beside(current, forms.actions_of(rows) if are_valid else current),
            edited=lambda: edits.last_words(Plan, plan.pk) if plan else "",
        )
        if is_post and form.is_valid() and are_valid:
            actions = current if "actions" in form.kept else forms.actions_of(rows)
            services.save(segment=segment, item=form.item(actions))
            messages.success(request, _("Saved."))
            return redirect(f"{group.url}#plan")
    told = edits.entries(plans.edits_of(plan), business=request.business) if plan else []
    context = {"group": group, "plan": plan, "form": form, "rows": rows, "entries": told}
    return render(request, "crm/plan_form.html", context)


def _initial(plan: Plan | None, currency: str) -> dict[str, Any]:
    if plan is None:
        return {}
    budget = None if plan.budget_cents is None else money.major(plan.budget_cents, currency)
    return {"goal": plan.goal, "owner": plan.owner_id, "budget": budget, "notes": plan.notes}
