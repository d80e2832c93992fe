"""A purchase at the till: the bill with codes and points, using them at once, and undoing that within a minute."""

import secrets
from dataclasses import replace
from datetime import datetime
from functools import partial
from urllib.parse import urlencode

from django.contrib import messages
from django.core.signing import BadSignature, Signer
from django.db import OperationalError
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.http import DeskRequest
from customers.models import Customer
from loyalty import baskets, naming, offer_refusals
from loyalty.forms.sale import SaleForm
from loyalty.forms.till import TOKEN, RedeemForm
from loyalty.models import Code
from loyalty.offer_refusals import Refused
from loyalty.problems import LedgerProblem
from loyalty.selectors import cards, offers, programme, quotes, referrals
from loyalty.selectors import sales as found
from loyalty.selectors.sales import Bill
from loyalty.services import attempts, refusals, sales
from loyalty.services.attempts import TooManyAttempts
from loyalty.services.sales import Sale


def form_of(request: DeskRequest, data: QueryDict | None, customer_id: int, *, at: datetime) -> SaleForm:
    return SaleForm(data, customer_id=customer_id, business=request.business, at=at)


def show(
    request: DeskRequest, customer: Customer, form: SaleForm, redeem: RedeemForm, *, at: datetime, status: int = 200
) -> HttpResponse:
    """The customer with what she has, what is bought, and what it comes to."""
    quote = quotes.quote(customer_id=customer.pk, lines=form.lines, business=request.business, at=at)
    bill = bill_of(form, quote, at=at) if form.lines else None
    context = {
        "customer": customer,
        "card": quote.card,
        "quote": quote,
        "sale": form,
        "bill": bill,
        "typed": bill.refused if bill else [(text, "") for text in form.codes],
        "redeem": redeem,
        "token": secrets.token_hex(16),
        "programme": programme.current(),
        "may_claim": referrals.may_claim(customer.pk, at=at),
        "phone": customer.phones.order_by("pk").first(),
        "email": customer.emails.order_by("pk").first(),
    }
    return render(request, "loyalty/till_customer.html", context, status=status)


def bill_of(form: SaleForm, quote: quotes.Quote, *, at: datetime) -> Bill:
    """What the form comes to. Wrong codes count against the customer; more points than can be are said at the field."""
    customer_id, row = form.customer_id, programme.current()
    codes, unknown = found.enter(form.codes, entered=partial(_entered, customer_id=customer_id, at=at))
    bill = found.bill(
        form.lines,
        codes,
        customer_id=customer_id,
        shipping_cents=form.shipping_cents,
        business=form.business,
        at=at,
    )
    asked = (form.cleaned_data["points"] or 0) if row.is_running else 0
    bill = found.with_points(bill, points=asked, balance=quote.card.points.balance, programme=row)
    if asked > bill.points:
        most = formats.number_format(bill.most_points, force_grouping=True)
        form.add_error("points", _("At most %(most)s can be redeemed on this bill.") % {"most": most})
    bill = found.earned(bill, programme=row, tier=quote.card.tier, at=at)
    return replace(bill, refused=[*unknown, *bill.refused])


def _entered(text: str, *, customer_id: int, at: datetime) -> Code:
    """The code that was typed or scanned. Raises Refused; who tries too many rests."""

    def look() -> Code:
        code = offers.find_code(text)
        if code.offer.holder_only and code.holder_id not in (None, customer_id):
            raise offer_refusals.not_for_them(code)
        return code

    try:
        return attempts.entering(f"customer:{customer_id}", text, look)
    except TooManyAttempts as problem:
        raise Refused("too_many_attempts", str(problem)) from None


@require_POST
def sale_use(request: DeskRequest, pk: int) -> HttpResponse:
    """Use the codes and points of the bill that was shown. What is refused changes nothing, and the bill stays."""
    customer, at = get_object_or_404(Customer.objects.select_related("company"), pk=pk), timezone.now()
    form, token = form_of(request, request.POST, pk, at=at), request.POST.get("token", "")
    if not TOKEN.fullmatch(token):
        raise Http404
    if sales.found(token=token).is_known:
        return redirect("loyalty:sale_done", token=token)
    try:
        sale = _sale(request, form, at=at)
        sales.use(sale=sale, token=token, at=at, by=request.user.pk)
    except (LedgerProblem, refusals.Refused, Refused) as error:
        messages.error(request, str(error))
    except OperationalError:
        messages.error(request, _("Somebody else is changing the same thing. Try again in a moment."))
    else:
        total = _signer(token).sign(str(baskets.total(form.lines) + sale.shipping_cents))
        return redirect(f"{reverse('loyalty:sale_done', args=[token])}?{urlencode({'total': total})}")
    again = form_of(request, request.POST, pk, at=at)  # the other one says already what was wrong with the old bill
    return show(request, customer, again, RedeemForm(), at=at, status=409)


def _signer(token: str) -> Signer:
    """Signs what the goods of this very sale came to: it is kept nowhere, and an address can be edited."""
    return Signer(salt=f"till:{token}")


def _sale(request: DeskRequest, form: SaleForm, *, at: datetime) -> Sale:
    """The bill that was shown. Raises Refused when it is another one by now, and when nothing comes off."""
    quote = quotes.quote(customer_id=form.customer_id, lines=form.lines, business=request.business, at=at)
    bill = bill_of(form, quote, at=at) if form.lines else None
    if bill is None or not (bill.off_cents or bill.taken):
        raise Refused("nothing_off", _("There is nothing that comes off this bill."))
    if bill.refused or str(bill.off_cents) != request.POST.get("off_cents", ""):
        raise sales.changed()
    return Sale(
        customer_id=form.customer_id,
        items=form.items,
        shipping_cents=bill.shipping_cents,
        codes=[one.code.code for one in bill.taken],
        points=bill.points,
        receipt=form.cleaned_data["receipt"].strip(),
        off_cents=bill.off_cents,
    )


def sale_done(request: DeskRequest, token: str) -> HttpResponse:
    """What came off, what is to pay, and undoing it."""
    at, used = timezone.now(), sales.found(token=token)
    customer, total = _customer_of(used), _total(request.GET.get("total", ""), token=token)
    context = {
        "used": used,
        "token": token,
        "customer": customer,
        "to_pay_cents": None if total is None else max(0, total - used.off_cents),
        "balance": cards.card(customer.pk, at=at).points.balance,
        "may_undo": used.is_undoable(at),
    }
    return render(request, "loyalty/till_sale_done.html", context)


def _total(text: str, *, token: str) -> int | None:
    """None when it is not known."""
    try:
        return int(_signer(token).unsign(text))
    except BadSignature:
        return None


def _customer_of(used: sales.Used) -> Customer:
    for one in (used.redemption, *used.uses):
        if one is not None:
            return one.customer
    raise Http404


@require_POST
def sale_undo(request: DeskRequest, token: str) -> HttpResponse:
    customer = _customer_of(sales.found(token=token))
    try:
        is_undone = sales.undo(token=token, at=timezone.now(), by=request.user.pk)
    except OperationalError:
        messages.error(request, _("Somebody else is changing the same thing. Try again in a moment."))
    else:
        if is_undone:
            messages.success(request, naming.said(_("Undone: codes and %(points)s are as before.")))
        else:
            messages.error(request, _("The minute is over: ask somebody who may cancel it."))
    return redirect("loyalty:till_customer", pk=customer.pk)
