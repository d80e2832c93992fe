from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy
from django.views.decorators.http import require_POST

from core.http import DeskRequest, wants_part
from loyalty import naming
from loyalty.forms.reward import CancelForm
from loyalty.models import Redemption, Reward
from loyalty.selectors import redemptions as found
from loyalty.services import fulfilment, refusals, rewards

TABS = (
    ("", pgettext_lazy("redemptions", "Waiting")),
    ("ready", pgettext_lazy("redemptions", "Ready")),
    ("done", pgettext_lazy("redemptions", "Done")),
    ("held", pgettext_lazy("redemptions", "Held")),
    ("cancelled", pgettext_lazy("redemptions", "Cancelled")),
    ("all", pgettext_lazy("redemptions", "All")),
)
STEPS: Final = frozenset(fulfilment.FROM)


def redemption_list(request: DeskRequest) -> HttpResponse:
    asked = {name: request.GET.get(name, "") for name in ("tab", "q", "reward")}
    matching = found.search(asked["q"], reward=asked["reward"])
    numbers = found.counts(matching)
    page = found.page(matching, tab=asked["tab"], number=request.GET.get("page", "1"))
    context = {
        "page": page,
        "asked": asked,
        "tabs": [(value, name, numbers[value]) for value, name in TABS],
        "offered": Reward.objects.order_by("name", "pk"),
        "is_queue": asked["tab"] in found.QUEUE,
        "none_at_all": not numbers["all"] and not asked["q"] and not asked["reward"],
    }
    part = "loyalty/_redemptions.html" if wants_part(request) else "loyalty/redemption_list.html"
    return render(request, part, context)


def redemption_detail(request: DeskRequest, pk: int) -> HttpResponse:
    return _detail(request, pk, CancelForm())


def _detail(request: DeskRequest, pk: int, form: CancelForm) -> HttpResponse:
    rows = Redemption.objects.select_related("customer", "reward", "made_by", "handled_by")
    one = get_object_or_404(rows, pk=pk)
    context = {"one": one, "became": refusals.what_became(one), "cancel_form": form}
    return render(request, "loyalty/redemption_detail.html", context)


@require_POST
def redemption_mark(request: DeskRequest) -> HttpResponse:
    """One step for the rows that are ticked, or for the one whose button was pressed (`state:number`)."""
    state, _sep, number = request.POST.get("step", "").partition(":")
    asked = [number] if number else request.POST.getlist("redemption")
    ids = [int(text[:18]) for text in asked if text.isascii() and text.isdecimal()]
    if state not in STEPS or not ids:
        messages.error(request, _("Tick the rows that this is about."))
        return _back(request)
    done = fulfilment.mark(redemption_ids=ids, state=Redemption.State(state), at=timezone.now(), by=request.user.pk)
    messages.success(request, ngettext("%(number)s done.", "%(number)s done.", done) % {"number": done})
    if done < len(ids):
        messages.warning(request, _("The rest had moved on meanwhile."))
    return _back(request)


def _back(request: DeskRequest) -> HttpResponse:
    """To the list as it was narrowed."""
    url = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(url, allowed_hosts={request.get_host()}) and url.startswith("/loyalty/")
    return redirect(url if is_ours else "loyalty:redemption_list")


@require_POST
def redemption_cancel(request: DeskRequest, pk: int) -> HttpResponse:
    one = get_object_or_404(Redemption, pk=pk)
    form = CancelForm(request.POST)
    if not form.is_valid():
        return _detail(request, pk, form)
    try:
        rewards.cancel(redemption_id=one.pk, at=timezone.now(), reason=form.cleaned_data["reason"], by=request.user.pk)
    except (refusals.TooLate, refusals.CodeUsed) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, naming.said(_("Cancelled: the %(points)s went back.")))
    return redirect("loyalty:redemption_detail", pk=pk)
