from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from django.views.decorators.http import require_POST

from core import edits
from core.http import DeskRequest
from loyalty.forms.reward import PoolForm, RewardForm, initial
from loyalty.models import PoolCode, Reward, Tier
from loyalty.selectors import redemptions
from loyalty.selectors import rewards as found
from loyalty.services import shelf

TABS = (
    ("", pgettext_lazy("rewards", "Offered")),
    ("hidden", gettext_lazy("Not offered now")),
    ("archived", gettext_lazy("Archived")),
    ("all", gettext_lazy("All")),
)
LATEST = 10


def reward_list(request: DeskRequest) -> HttpResponse:
    at, state = timezone.now(), request.GET.get("state", "")
    page = found.page(state, number=request.GET.get("page", "1"), at=at)
    numbers = found.counts(at=at)
    context = {
        "page": page,
        "rows": found.rows(list(page), at=at),
        "state": state,
        "tabs": [(value, name, numbers[value]) for value, name in TABS],
        "none_at_all": not numbers["all"],
        "waiting": redemptions.waiting(),
    }
    return render(request, "loyalty/reward_list.html", context)


def reward_detail(request: DeskRequest, pk: int) -> HttpResponse:
    return _detail(request, pk, PoolForm())


def _detail(request: DeskRequest, pk: int, pool_form: PoolForm) -> HttpResponse:
    reward = get_object_or_404(Reward.objects.select_related("product", "offer"), pk=pk)
    (row,) = found.rows([reward], at=timezone.now())
    context = {
        "reward": reward,
        "row": row,
        "prices": reward.prices.select_related("tier").order_by("tier__rank", "pk"),
        "latest": redemptions.of_reward(pk, most=LATEST),
        "pool_form": pool_form,
        "pool_size": PoolCode.objects.filter(reward=reward).count() if reward.has_pool else 0,
    }
    return render(request, "loyalty/reward_detail.html", context)


def _form(request: DeskRequest, **options: Any) -> RewardForm:
    tiers = list(Tier.objects.filter(retired_at=None).order_by("rank", "pk"))
    return RewardForm(request.POST or None, business=request.business, tiers=tiers, **options)


def reward_add(request: DeskRequest) -> HttpResponse:
    form = _form(request)
    if request.method == "POST" and form.is_valid():
        reward = shelf.add(item=form.item(), prices=form.prices())
        messages.success(request, _("The reward is on the shelf."))
        return redirect(reward)
    return render(request, "loyalty/reward_form.html", {"form": form})


def reward_edit(request: DeskRequest, pk: int) -> HttpResponse:
    with transaction.atomic():
        rows = Reward.objects.select_for_update(no_key=True) if request.method == "POST" else Reward.objects.all()
        reward = get_object_or_404(rows, pk=pk)
        form = _form(
            request,
            initial=initial(reward, currency=request.business.currency),
            edited=lambda: edits.last_words(Reward, pk),
        )
        if request.method == "POST" and form.is_valid():
            shelf.change(reward_id=pk, item=form.item(), prices=form.prices())
            messages.success(request, _("Saved."))
            return redirect(reward)
    return render(request, "loyalty/reward_form.html", {"form": form, "reward": reward})


@require_POST
def reward_archive(request: DeskRequest, pk: int) -> HttpResponse:
    """Archives it, or puts it back when it is archived already."""
    reward = get_object_or_404(Reward, pk=pk)
    is_back = request.POST.get("back") == "1"
    shelf.archive(reward_id=pk, at=None if is_back else timezone.now())
    messages.success(request, _("It is offered again.") if is_back else _("It is archived: nobody is offered it."))
    return redirect(reward)


@require_POST
def reward_codes(request: DeskRequest, pk: int) -> HttpResponse:
    reward = get_object_or_404(Reward, pk=pk, kind=Reward.Kind.CODE, offer=None)
    form = PoolForm(request.POST)
    if not form.is_valid():
        return _detail(request, pk, form)
    number = shelf.add_codes(reward_id=pk, texts=form.cleaned_data["codes"])
    told = ngettext("%(number)s code is new in the pool.", "%(number)s codes are new in the pool.", number)
    messages.success(request, told % {"number": number})
    return redirect(reward)
