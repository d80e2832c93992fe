"""The programme: what it is, its rules, what they would have given, and switching it on."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core import edits, money
from core.http import DeskRequest, wants_part
from customers.models import Order, Product
from loyalty import baskets, replay_pages
from loyalty.forms.programme import OpenForm, ProgrammeForm, RuleForm, TryForm, rule_values, values_of
from loyalty.models import Action, EarningRule, Programme
from loyalty.selectors import earning, overview, programme
from loyalty.services import dry_runs, replays, rules
from loyalty.services.dry_runs import DryRun

LOOK_BACK = timedelta(days=30)


def programme_detail(request: DeskRequest) -> HttpResponse:
    at, row = timezone.now(), programme.current()
    context = {
        "row": row,
        "rules": overview.rules(at),
        "actions": Action.objects.order_by("name", "pk"),
        "figures": overview.figures() if row.is_open else None,
        "pauses": overview.pauses(),
    }
    return render(request, "loyalty/programme.html", context)


def programme_edit(request: DeskRequest) -> HttpResponse:
    """“Try out” looks at what would have been different, “Save” writes. Trying takes seconds, so it locks nothing."""
    if "try" in request.POST:
        row = programme.current()
        return _settings_page(request, row, _settings_form(request, row))
    with transaction.atomic():
        row = rules.locked() if request.method == "POST" else programme.current()
        form = _settings_form(request, row)
        if request.method == "POST" and form.is_valid():
            rules.change(row=row, settings=form.settings)
            messages.success(request, _("Saved."))
            return redirect("loyalty:programme")
    return _settings_page(request, row, form)


def _settings_form(request: DeskRequest, row: Programme) -> ProgrammeForm:
    return ProgrammeForm(
        request.POST or None,
        business=request.business,
        initial=values_of(row, request.business.currency),
        edited=lambda: edits.last_words(Programme, row.pk),
    )


def _settings_page(request: DeskRequest, row: Programme, form: ProgrammeForm) -> HttpResponse:
    told: dict[str, Any] = {"form": form, "row": row}
    if "try" in request.POST and form.is_valid():
        tried = replays.with_settings(row, form.settings)
        seen = replays.of_settings(row=row, tried=tried, business=request.business, at=timezone.now())
        told |= {"seen": replay_pages.page(seen, row=row, tried=tried, business=request.business, labels=form.labels)}
    page = "loyalty/_programme_form.html" if wants_part(request) else "loyalty/programme_form.html"
    return render(request, page, told)


def rule_add(request: DeskRequest) -> HttpResponse:
    form = RuleForm(request.POST or None, business=request.business)
    if request.method == "POST" and form.is_valid():
        item, at = form.item(), timezone.now()
        if "save" in request.POST:
            rules.add(item=item, at=at)
            messages.success(request, _("The rule is added."))
            return redirect("loyalty:programme")
        after = _last_days(request, lambda: rules.add(item=item, at=at))
        return _rule_page(request, form, before=_last_days(request), after=after)
    return _rule_page(request, form)


def rule_edit(request: DeskRequest, pk: int) -> HttpResponse:
    """“Show what it gives” locks nothing: it looks at a month of orders."""
    if "save" in request.POST:
        with transaction.atomic():
            rules.locked()  # whoever changes a rule
            return _rule_edit(request, pk)
    return _rule_edit(request, pk)


def _rule_edit(request: DeskRequest, pk: int) -> HttpResponse:
    rule, at = get_object_or_404(EarningRule.objects.select_related("product"), pk=pk), timezone.now()
    now = rule_values(rule, request.business.currency)
    form = RuleForm(request.POST or None, business=request.business, initial=now)
    if request.method != "POST" or not form.is_valid():
        return _rule_page(request, form, rule=rule)
    item = form.item()
    try:
        if "save" not in request.POST:
            after = _last_days(request, lambda: rules.replace(rule_id=pk, item=item, at=at))
            return _rule_page(request, form, rule=rule, before=_last_days(request), after=after)
        rules.replace(rule_id=pk, item=item, at=at)
    except rules.HasEnded as problem:
        form.add_error(None, str(problem))
        return _rule_page(request, form, rule=rule)
    messages.success(request, _("Saved."))
    return redirect("loyalty:programme")


def _rule_page(request: DeskRequest, form: RuleForm, **context: Any) -> HttpResponse:
    told = {"form": form, "row": programme.current(), **context}
    return render(request, "loyalty/rule_form.html", told, status=422 if form.errors else 200)


@require_POST
def rule_end(request: DeskRequest, pk: int) -> HttpResponse:
    get_object_or_404(EarningRule, pk=pk)
    rules.end(rule_id=pk, at=timezone.now())
    messages.success(request, _("The rule has ended. What it gave stays."))
    return redirect("loyalty:programme")


def programme_open(request: DeskRequest) -> HttpResponse:
    """“Show what is credited” looks, “Switch on” writes."""
    form, seen = OpenForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        credit_from: date | None = form.cleaned_data["credit_from"]
        if "open" in request.POST:
            try:
                rules.switch_on(credit_from=credit_from, at=timezone.now())
            except rules.CannotOpen as error:
                messages.error(request, str(error))
            else:
                messages.success(request, _("The programme is on. Orders are credited from now on."))
            return redirect("loyalty:programme")
        seen = _days(request, first=credit_from or timezone.localdate(), last=timezone.localdate())
    context = {
        "form": form,
        "row": programme.current(),
        "seen": seen,
        "rules": earning.rules_at(timezone.now()),
        "asked": form.is_bound and form.is_valid(),
    }
    return render(request, "loyalty/programme_open.html", context, status=422 if form.errors else 200)


def earn_try(request: DeskRequest) -> HttpResponse:
    """What an order or a basket would earn now, and what the orders of the last month would have."""
    form = TryForm(request.GET or None, business=request.business)
    quote, names, problem = _tried(request, form) if form.is_bound and form.is_valid() else (None, [], "")
    context = {
        "form": form,
        "row": programme.current(),
        "quote": quote,
        "problem": problem,
        "lines": list(zip(names, quote.lines, strict=True)) if quote else [],
        "seen": _last_days(request),
        "has_rules": earning.rules_at(timezone.now()).exists(),
    }
    return render(request, "loyalty/earn_try.html", context)


def _tried(request: DeskRequest, form: TryForm) -> tuple[earning.EarnQuote | None, list[str], str]:
    """What was asked for, the names of its lines, and why there is nothing."""
    told, at = form.cleaned_data, timezone.now()
    if told["order"]:
        order = Order.objects.filter(external_id=told["order"].strip()).order_by("-placed_at", "-pk").first()
        if order is None:
            return None, [], _("There is no order “%(number)s”.") % {"number": told["order"]}
        lines = order.lines.select_related("product").order_by("position")
        return earning.quote_order(order, at=at), [str(line.product) for line in lines], ""
    if not told["sku"].strip():
        return None, [], _("Name an order or a product.")
    product = Product.objects.filter(sku=told["sku"].strip()).first()
    if product is None:
        return None, [], _("There is no product “%(sku)s”.") % {"sku": told["sku"]}
    price = product.unit_price if told["price"] is None else told["price"]
    if price is None:
        return None, [], _("Write a unit price: the product has none.")
    line = baskets.line(
        sku=product.sku,
        quantity=told["quantity"] or Decimal(1),
        unit_price=price,
        exponent=money.exponent(request.business.currency),
        product_id=product.pk,
        category_id=product.category_id,
        is_goods=product.kind == Product.Kind.GOODS,
    )
    return earning.quote_earn(customer_id=None, lines=[line], at=at), [str(product)], ""


def _last_days(request: DeskRequest, change: Callable[[], object] = bool) -> DryRun:
    today = timezone.localdate()
    return _days(request, first=today - LOOK_BACK, last=today, change=change)


def _days(request: DeskRequest, *, first: date, last: date, change: Callable[[], object] = bool) -> DryRun:
    return dry_runs.of_days(first=first, last=last, business=request.business, at=timezone.now(), change=change)
