"""The keys of programs: the list, a new one, and the end of one."""

from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from core import keys
from core.forms.keys import KeyForm
from core.http import DeskRequest
from core.models import ApiKey
from core.scopes import READ

# What a new key may read at once, by its area: a command to try it with.
FIRST_LOOK: Final = {"admin": "jobs/", "analytics": "segments/", "customers": "customers/", "orders": "orders/"}


def key_list(request: DeskRequest) -> HttpResponse:
    now = timezone.now()
    rows = [(key, key.state_at(now)) for key in ApiKey.objects.select_related("created_by").order_by("-pk")]
    return render(request, "core/key_list.html", {"rows": rows, "active": ApiKey.State.ACTIVE})


@never_cache
def key_create(request: DeskRequest) -> HttpResponse:
    """The key's text is in the answer to the POST and nowhere else: it is not stored, so nothing can redirect to it."""
    form = KeyForm(request.POST or None)
    if not form.is_valid():
        return render(request, "core/key_create.html", {"form": form}, status=400 if form.is_bound else 200)
    now = timezone.now()
    key, text = keys.create(
        name=form.cleaned_data["name"],
        scopes=form.scopes,
        created_by=request.user,
        at=now,
        expires_at=form.expires_at(at=now),
    )
    address = request.build_absolute_uri("/api/v1/" + FIRST_LOOK[key.scopes[0].removesuffix(READ)])
    return render(request, "core/key_created.html", {"key": key, "text": text, "address": address})


def key_revoke(request: DeskRequest, pk: int) -> HttpResponse:
    key = get_object_or_404(ApiKey, pk=pk)
    if request.method != "POST":
        return render(request, "core/key_revoke.html", {"key": key, "state": key.state_at(timezone.now())})
    keys.revoke(key=key, at=timezone.now())
    messages.success(request, _("%s is revoked. Programs that use it are refused from now on.") % key.name)
    return redirect("settings:key_list")
