"""Webhooks: the list, one with its log, a new one, and what can be done with it."""

from collections.abc import Callable
from typing import Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Max, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache

from core.forms.webhooks import WebhookForm
from core.http import DeskRequest
from core.models import Delivery, Webhook
from core.webhooks import managing, words

PER_PAGE: Final = 25


def webhook_list(request: DeskRequest) -> HttpResponse:
    dead = Count("deliveries", filter=Q(deliveries__state=Delivery.State.DEAD))
    waiting = Count("deliveries", filter=Q(deliveries__state=Delivery.State.PENDING))
    last = Max("deliveries__settled_at", filter=Q(deliveries__state=Delivery.State.DELIVERED))
    rows = Webhook.objects.annotate(dead=dead, waiting=waiting, last=last).order_by("-pk")
    return render(request, "core/webhook_list.html", {"rows": rows})


@never_cache
def webhook_create(request: DeskRequest) -> HttpResponse:
    form = WebhookForm(request.POST or None)
    if not form.is_valid():
        return render(request, "core/webhook_form.html", {"form": form}, status=400 if form.is_bound else 200)
    try:
        webhook = managing.create(**form.cleaned_data, by=request.user, at=timezone.now())
    except managing.TooMany:
        form.add_error(None, words.FULL % {"most": managing.MOST})
        return render(request, "core/webhook_form.html", {"form": form}, status=409)
    messages.success(request, _("The webhook is made. Give its secret to the program that listens."))
    return redirect("settings:webhook_detail", pk=webhook.pk)


@never_cache
def webhook_detail(request: DeskRequest, pk: int) -> HttpResponse:
    """The log, newest first; `state` chooses."""
    webhook = get_object_or_404(Webhook.objects.select_related("created_by"), pk=pk)
    state = request.GET.get("state", "")
    chosen = webhook.deliveries.select_related("event").order_by("-pk")
    if state in Delivery.State.values:
        chosen = chosen.filter(state=state)
    page = Paginator(chosen, PER_PAGE).get_page(request.GET.get("page"))
    counts = dict(webhook.deliveries.values_list("state").annotate(count=Count("pk")))
    context = {
        "webhook": webhook,
        "page": page,
        "rows": [(row, _last_try(row)) for row in page],
        "state": state,
        "states": [(value, label, counts.get(value, 0)) for value, label in Delivery.State.choices],
        "dead": counts.get(Delivery.State.DEAD, 0),
        "kinds": [kind for kind in managing.kinds().values() if kind.name in webhook.events],
        "old_secret_until": webhook.old_secret_until if len(webhook.secrets_at(timezone.now())) > 1 else None,
    }
    return render(request, "core/webhook_detail.html", context)


def _last_try(row: Delivery) -> str:
    return words.tried(status=row.log[-1]["status"], said=row.log[-1]["said"]) if row.log else ""


def webhook_edit(request: DeskRequest, pk: int) -> HttpResponse:
    webhook = get_object_or_404(Webhook, pk=pk)
    form = WebhookForm(request.POST or None, webhook=webhook)
    if not form.is_valid():
        context = {"form": form, "webhook": webhook}
        return render(request, "core/webhook_form.html", context, status=400 if form.is_bound else 200)
    managing.change(webhook=webhook, **form.cleaned_data)
    messages.success(request, _("The webhook is changed. What waits goes to the new address."))
    return redirect("settings:webhook_detail", pk=pk)


def webhook_remove(request: DeskRequest, pk: int) -> HttpResponse:
    webhook = get_object_or_404(Webhook, pk=pk)
    if request.method != "POST":
        return render(request, "core/webhook_remove.html", {"webhook": webhook})
    webhook.delete()
    messages.success(request, _("The webhook is removed: nothing is sent to %s any more.") % webhook.url)
    return redirect("settings:webhook_list")


def webhook_act(request: DeskRequest, pk: int, action: str) -> HttpResponse:
    """Test, pause, resume, a new secret, or everything again that was given up."""
    if action not in ACTIONS:
        raise Http404
    messages.success(request, ACTIONS[action](get_object_or_404(Webhook, pk=pk)))
    return redirect("settings:webhook_detail", pk=pk)


def delivery_replay(request: DeskRequest, pk: int, delivery: int) -> HttpResponse:
    webhook = get_object_or_404(Webhook, pk=pk, deliveries=delivery)
    if managing.replay(webhook=webhook, at=timezone.now(), delivery_id=delivery):
        messages.success(request, _("It is sent again."))
    else:
        messages.error(request, _("It is still being tried."))
    return redirect("settings:webhook_detail", pk=pk)


def _test(webhook: Webhook) -> str:
    managing.try_out(webhook=webhook, at=timezone.now())
    return _("A test is on its way. The log shows what came of it.")


def _pause(webhook: Webhook) -> str:
    managing.pause(webhook=webhook)
    return _("The webhook is paused. What happens meanwhile waits.")


def _resume(webhook: Webhook) -> str:
    managing.resume(webhook=webhook)
    return _("The webhook goes on.")


def _rotate(webhook: Webhook) -> str:
    managing.rotate(webhook=webhook, at=timezone.now())
    return _("There is a new secret. The old one signs beside it for 24 hours.")


def _replay(webhook: Webhook) -> str:
    count = managing.replay(webhook=webhook, at=timezone.now())
    return ngettext("%(count)d message is sent again.", "%(count)d messages are sent again.", count) % {"count": count}


ACTIONS: Final[dict[str, Callable[[Webhook], str]]] = {
    "test": _test,
    "pause": _pause,
    "resume": _resume,
    "rotate": _rotate,
    "replay": _replay,
}
