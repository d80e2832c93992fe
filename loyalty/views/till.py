import secrets
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db import OperationalError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.http import DeskRequest
from customers.models import Customer
from loyalty import naming, worth
from loyalty.forms.till import LONGEST_RECEIPT, ConfirmedForm, RedeemForm
from loyalty.models import Redemption, Reward
from loyalty.problems import KeyReused, LedgerProblem
from loyalty.selectors import cards, offers, programme
from loyalty.selectors import rewards as found
from loyalty.services import fulfilment, refusals, rewards
from loyalty.services.rewards import UNDO, Wish
from loyalty.services.sales import UNDONE
from loyalty.views import sales

Place = Redemption.Place


def till(request: DeskRequest) -> HttpResponse:
    """One field: a code opens what it stands for, a single customer opens at once."""
    text = request.GET.get("q", "").strip()
    shown = fulfilment.find(text) if text else None
    if shown is not None:
        return redirect("loyalty:till_show", pk=shown.pk)
    if (code := offers.held(text)) is not None:
        return redirect(f"{reverse('loyalty:till_customer', args=[code.holder_id])}?{urlencode({'code': code.code})}")
    people = cards.people(text)
    if len(people) == 1:
        return redirect("loyalty:till_customer", pk=people[0].pk)
    return render(request, "loyalty/till.html", {"people": people, "text": text})


def till_customer(request: DeskRequest, pk: int) -> HttpResponse:
    """Her card, and the bill of what is bought, if something is."""
    customer, at = _customer(pk), timezone.now()
    form = sales.form_of(request, request.GET or None, pk, at=at)
    return sales.show(request, customer, form, RedeemForm(), at=at)


def _customer(pk: int) -> Customer:
    return get_object_or_404(Customer.objects.select_related("company"), pk=pk)


def till_redeem(request: DeskRequest, pk: int) -> HttpResponse:
    """GET asks once more, POST redeems. The token makes a second press the same redemption."""
    customer, at = _customer(pk), timezone.now()
    form = ConfirmedForm(request.POST) if request.method == "POST" else RedeemForm(request.GET)
    if not form.is_valid():
        return sales.show(request, customer, sales.form_of(request, None, pk, at=at), RedeemForm(form.data), at=at)
    asked = form.cleaned_data
    receipt = asked.get("receipt", request.GET.get("receipt", "")[:LONGEST_RECEIPT]).strip()
    wish = Wish(customer_id=pk, points=asked["points"], reward_id=asked["reward"], reference=receipt)
    if request.method != "POST":
        return _confirm(request, customer, wish)
    try:
        done = rewards.redeem(wish=wish, key=f"till:{asked['token']}", at=at, place=Place.TILL, by=request.user.pk)
    except KeyReused:
        messages.error(request, _("This form was sent before. Start again."))
    except (LedgerProblem, refusals.Refused) as error:
        messages.error(request, str(error))
    except OperationalError:
        messages.error(request, _("Somebody else is changing the same thing. Try again in a moment."))
    else:
        return redirect("loyalty:till_done", pk=done.redemption.pk)
    return redirect("loyalty:till_customer", pk=pk)


def _confirm(request: DeskRequest, customer: Customer, wish: Wish) -> HttpResponse:
    at = timezone.now()
    balance = cards.card(customer.pk, at=at).points.balance
    reward, points, cents = _priced(wish, at)
    context = {
        "customer": customer,
        "reward": reward,
        "points": points,
        "money_off_cents": cents,
        "left": balance - points,
        "form": ConfirmedForm(
            initial={
                "points": wish.points,
                "reward": wish.reward_id,
                "token": secrets.token_hex(16),
                "receipt": wish.reference,
            }
        ),
    }
    return render(request, "loyalty/till_redeem.html", context)


def _priced(wish: Wish, at: Any) -> tuple[Reward | None, int, int]:
    if wish.reward_id is None:
        points = wish.points or 0
        return None, points, worth.cents_of(points, worth_cents=programme.current().worth_cents)
    told = found.priced(wish.reward_id, customer_id=wish.customer_id, at=at)
    reward = get_object_or_404(Reward, pk=wish.reward_id) if told is None else told[0]
    return reward, told[1] if told else 0, reward.money_off_cents or 0


def till_done(request: DeskRequest, pk: int) -> HttpResponse:
    one = get_object_or_404(Redemption.objects.select_related("customer", "reward"), pk=pk)
    at = timezone.now()
    context = {
        "one": one,
        "balance": cards.card(one.customer_id, at=at).points.balance,
        "may_undo": _is_undoable(one, at),
        "seconds": int(UNDO.total_seconds()),
        "became": refusals.what_became(one),
    }
    return render(request, "loyalty/till_done.html", context)


def _is_undoable(one: Redemption, at: Any) -> bool:
    return one.handled_at is not None and one.state in rewards.DONE and one.handled_at > at - UNDO


@require_POST
def till_undo(request: DeskRequest, pk: int) -> HttpResponse:
    """What was redeemed here goes back whole; what was only handed over waits again."""
    one = get_object_or_404(Redemption, pk=pk)
    try:
        messages.success(request, _undo(one, by=request.user.pk))
    except refusals.TooLate:
        messages.error(request, _("The minute is over: ask somebody who may cancel it."))
    except OperationalError:
        messages.error(request, _("Somebody else is changing the same thing. Try again in a moment."))
    return redirect("loyalty:till_customer", pk=one.customer_id)


def _undo(one: Redemption, *, by: int) -> str:
    """What is undone now. Raises TooLate."""
    at = timezone.now()
    if one.place == Place.TILL:
        rewards.cancel(redemption_id=one.pk, at=at, reason=UNDONE, by=by)
        return naming.said(_("Undone: the %(points)s are back."))
    if not fulfilment.take_back(redemption_id=one.pk, at=at):
        raise refusals.TooLate(one)
    return _("Undone: it waits to be handed over again.")


def till_show(request: DeskRequest, pk: int) -> HttpResponse:
    """What a customer's code stands for: GET shows it, POST hands it over."""
    one = get_object_or_404(Redemption.objects.select_related("customer", "reward"), pk=pk)
    if request.method != "POST":
        context = {"one": one, "became": refusals.what_became(one), "is_open": one.state in rewards.OPEN}
        return render(request, "loyalty/till_show.html", context)
    try:
        fulfilment.show(code=one.code, at=timezone.now(), by=request.user.pk)
    except refusals.TooLate as error:
        messages.error(request, str(error))
        return redirect("loyalty:till_show", pk=pk)
    return redirect("loyalty:till_done", pk=pk)
