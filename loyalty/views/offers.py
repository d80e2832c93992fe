"""Offers, their codes and what became of them."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from core import downloads, engine
from core.http import DeskRequest, wants_part
from core.models import Job
from loyalty import offer_terms
from loyalty.forms.offer import ChosenCodeForm, ManyCodesForm, OfferForm, initial
from loyalty.models import Code, Offer
from loyalty.selectors import offer_pages as pages
from loyalty.selectors import offers as found
from loyalty.services import codes, offer_settings

NAMES = {
    "": gettext_lazy("Running"),
    "paused": gettext_lazy("Paused"),
    "ended": gettext_lazy("Ended"),
    "all": gettext_lazy("All"),
}
ACTIONS = {"pause": Offer.State.PAUSED, "resume": Offer.State.ACTIVE, "end": Offer.State.ENDED}


def offer_list(request: DeskRequest) -> HttpResponse:
    tab, numbers = request.GET.get("state", ""), pages.counts()
    page = pages.page(tab, number=request.GET.get("page", "1"))
    context = {
        "page": page,
        "rows": pages.rows(list(page), business=request.business, at=timezone.now()),
        "tab": tab if tab in NAMES else "",
        "tabs": [(value, NAMES[value], numbers[value]) for value in pages.TABS],
        "none_at_all": not numbers["all"],
    }
    return render(request, "loyalty/offer_list.html", context)


def _offer(pk: int) -> Offer:
    return get_object_or_404(found.with_terms(Offer.objects.all()), pk=pk)


def _page(request: DeskRequest, offer: Offer, template: str, **context: Any) -> HttpResponse:
    currency = request.business.currency
    told = {
        "offer": offer,
        "headline": offer_terms.headline(offer, currency=currency),
        "terms": offer_terms.of_staff(offer, currency=currency),
        "totals": pages.totals(offer),
        "is_over": pages.is_over(offer, at=timezone.now()),
    }
    return render(request, template, told | context)


def offer_detail(request: DeskRequest, pk: int) -> HttpResponse:
    """The terms, and every use."""
    page = pages.uses_of(pk, number=request.GET.get("page", "1"))
    return _page(request, _offer(pk), "loyalty/offer_detail.html", page=page)


def offer_add(request: DeskRequest) -> HttpResponse:
    form = OfferForm(request.POST or None, business=request.business)
    if request.method == "POST" and form.is_valid():
        offer = offer_settings.add(terms=form.terms(), by=request.user.pk)
        messages.success(request, _("The offer is there. Now make its codes."))
        return redirect("loyalty:offer_codes", pk=offer.pk)
    return render(request, "loyalty/offer_form.html", {"form": form}, status=422 if form.errors else 200)


@transaction.atomic
def offer_edit(request: DeskRequest, pk: int) -> HttpResponse:
    rows = Offer.objects.select_for_update(no_key=True) if request.method == "POST" else Offer.objects.all()
    offer = get_object_or_404(rows, pk=pk)
    form = OfferForm(
        request.POST or None,
        business=request.business,
        offer=offer,
        initial=initial(offer, currency=request.business.currency),
    )
    if request.method == "POST" and form.is_valid():
        offer_settings.change(offer_id=pk, terms=form.terms())
        messages.success(request, _("Saved. What was used before stays as it was."))
        return redirect(offer)
    context = {
        "form": form,
        "offer": offer,
        "terms": offer_terms.of_staff(offer, currency=request.business.currency),
        "headline": offer_terms.headline(offer, currency=request.business.currency),
    }
    return render(request, "loyalty/offer_form.html", context, status=422 if form.errors else 200)


@require_POST
def offer_state(request: DeskRequest, pk: int) -> HttpResponse:
    """Pause, go on or end."""
    offer = get_object_or_404(Offer, pk=pk)
    state = ACTIONS.get(request.POST.get("action", ""))
    if state is not None:
        offer = offer_settings.set_state(offer_id=pk, state=state)
        said = {
            Offer.State.ACTIVE: _("The offer runs again."),
            Offer.State.PAUSED: _("The offer rests: its codes do nothing until it runs again."),
            Offer.State.ENDED: _("The offer has ended. Its codes do nothing any more."),
        }
        messages.success(request, said[Offer.State(offer.state)])
    return redirect(offer)


def offer_codes(request: DeskRequest, pk: int) -> HttpResponse:
    """The codes, and making more of them: one that was chosen, or many."""
    offer = _offer(pk)
    chosen, many = _code_forms(request)
    if request.method == "POST" and (done := _make(request, offer, chosen, many)):
        return redirect(done)
    search = request.GET.get("q", "")
    return _page(
        request,
        offer,
        "loyalty/offer_codes.html",
        page=pages.codes_of(pk, search=search, number=request.GET.get("page", "1")),
        search=search,
        jobs=pages.jobs_of(pk),
        chosen=chosen,
        many=many,
    )


def _code_forms(request: DeskRequest) -> tuple[ChosenCodeForm, ManyCodesForm]:
    sent = request.POST if request.method == "POST" else None
    chosen = ChosenCodeForm(sent if sent is not None and "text" in sent else None)
    return chosen, ManyCodesForm(sent if sent is not None and "count" in sent else None)


def _make(request: DeskRequest, offer: Offer, chosen: ChosenCodeForm, many: ManyCodesForm) -> str:
    """Where to go on when codes were made, or are being made; empty when a form says why not."""
    if many.is_bound and many.is_valid():
        told = many.cleaned_data
        segment = told["segment"]
        job = codes.start(
            offer=offer,
            count=told["count"] or 0,
            segment_id=segment.pk if segment else None,
            max_uses=told["uses"],
            by=request.user,
            at=timezone.now(),
        )
        return reverse("loyalty:code_job", args=[job.pk])
    if chosen.is_bound and chosen.is_valid():
        try:
            code = codes.choose(offer=offer, text=chosen.cleaned_data["text"], max_uses=chosen.cleaned_data["uses"])
        except codes.BadCode as problem:
            chosen.add_error("text", str(problem))
            return ""
        messages.success(request, _("%(code)s works now.") % {"code": code})
        return reverse("loyalty:offer_codes", args=[offer.pk])
    return ""


@require_POST
def code_block(request: DeskRequest, pk: int) -> HttpResponse:
    """Block a code, or let it work again."""
    code = get_object_or_404(Code, pk=pk)
    is_back = request.POST.get("back") == "1"
    codes.block(code_id=pk, at=None if is_back else timezone.now())
    messages.success(request, (_("%(code)s works again.") if is_back else _("%(code)s is blocked.")) % {"code": code})
    return redirect("loyalty:offer_codes", pk=code.offer_id)


def code_export(request: DeskRequest, pk: int) -> StreamingHttpResponse:
    get_object_or_404(Offer, pk=pk)
    return downloads.csv_file(f"codes-{pk}.csv", pages.export(pk))


def code_job(request: DeskRequest, pk: int) -> HttpResponse:
    """How far the making of codes is; a POST stops it."""
    job = get_object_or_404(Job.objects.select_related("progress"), pk=pk, step__in=codes.STEPS)
    if request.method == "POST":
        engine.stop(job_id=pk, at=timezone.now())
        return redirect("loyalty:code_job", pk=pk)
    context = {"job": job, "offer": Offer.objects.filter(pk=job.payload["offer"]).first()}
    return render(request, "loyalty/_code_job.html" if wants_part(request) else "loyalty/code_job.html", context)
