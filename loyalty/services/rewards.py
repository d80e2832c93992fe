"""Points become things: redeem, hold, commit, release, cancel. Each is one transaction and harmless to repeat.

The ledger locks the account first, then come the redemption's row and, last, the reward's stock. So what a customer may
have is counted under a lock of hers, and the row that many customers want is held the shortest.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from loyalty import codes, ledger, worth
from loyalty.models import Account, Hold, PoolCode, Posting, Redemption, Reward
from loyalty.problems import HoldEnded, KeyReused
from loyalty.selectors import programme
from loyalty.selectors import rewards as found
from loyalty.selectors.offers import find_order
from loyalty.services import given_codes, refunding
from loyalty.services.refusals import CapReached, CodeUsed, NotOffered, OutOfStock, Paused, SwitchedOff, TooLate

State, Place = Redemption.State, Redemption.Place
OPEN: Final = (State.COMMITTED, State.READY)
DONE: Final = (State.HANDED_OVER, State.SENT)
UNDO: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A reward, or so many points straight into money off: one of the two.

    `reference` is how the shop calls the order that they are spent on, if it says so.
    """

    customer_id: int
    reward_id: int | None = None
    points: int | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """`balance`: what the customer can spend after it."""

    redemption: Redemption
    balance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Priced:
    reward: Reward | None
    points: int
    money_off_cents: int

    @property
    def reason(self) -> str:
        """For the statement."""
        return self.reward.name if self.reward else _("Money off")


@transaction.atomic
def redeem(*, wish: Wish, key: str, at: datetime, place: str, by: int | None = None) -> Done:
    """Spend the points. The same key again is the first redemption.

    Raises SwitchedOff, Paused, KeyReused, InsufficientPoints, NotOffered, CapReached, OutOfStock.
    """
    priced = _priced(wish, at, place, key)
    spent = _spend(wish, priced, kind=Posting.Kind.REDEEM, key=key, at=at, until=None, by=by)
    if spent.replayed:
        return Done(redemption=_known(key, wish), balance=spent.balance)
    facts = {"posting_id": spent.posting.pk, **_handed(_first_state(priced.reward, place), at=at, by=by)}
    one = _write(_of(spent, wish), priced, at=at, key=key, place=place, made_by_id=by, **facts)
    _give_code(one, at=at)
    return Done(redemption=one, balance=spent.balance)


@transaction.atomic
def hold(*, wish: Wish, key: str, at: datetime, place: str, by: int | None = None) -> Done:
    """Set points, stock and cap aside for as long as the programme says. Raises what `redeem` does."""
    priced = _priced(wish, at, place, key)
    until = at + timedelta(minutes=programme.current().hold_minutes)
    held = _spend(wish, priced, kind=Posting.Kind.HOLD, key=key, at=at, until=until, by=by)
    if held.replayed:
        return Done(redemption=_known(key, wish), balance=held.balance)
    hold_id = Hold.objects.values_list("pk", flat=True).get(posting=held.posting)
    facts = {"hold_id": hold_id, "state": State.HELD, "expires_at": until}
    one = _write(_of(held, wish), priced, at=at, key=key, place=place, made_by_id=by, **facts)
    return Done(redemption=one, balance=held.balance)


@transaction.atomic
def commit(*, redemption_id: int, at: datetime, by: int | None = None) -> Done:
    """What was held is spent. Once committed it stays so. Raises TooLate when the hold ran out or was released."""
    one = Redemption.objects.select_related("reward__offer").get(pk=redemption_id)
    ended = _end_hold(one, kind=Posting.Kind.COMMIT, at=at)
    facts = {"posting_id": ended.posting.pk, **_handed(_first_state(one.reward, one.place), at=at, by=by)}
    is_first = Redemption.objects.filter(pk=one.pk, state=State.HELD, expires_at__gt=at).update(**facts)
    one.refresh_from_db()
    if one.state in (State.HELD, State.RELEASED, State.CANCELLED):
        raise TooLate(one)
    if is_first:
        _give_code(one, at=at)
    return Done(redemption=one, balance=ended.balance)


@transaction.atomic
def release(*, redemption_id: int, at: datetime, by: int | None = None) -> Done:
    """Points, stock and cap come back. Once released it stays so. Raises TooLate when it was committed."""
    one = Redemption.objects.get(pk=redemption_id)
    try:
        balance = _end_hold(one, kind=Posting.Kind.RELEASE, at=at).balance
    except TooLate:  # it may have run out by itself, which is as good
        balance = Account.objects.values_list("balance", flat=True).get(customer=one.customer_id)
    _leave(one, from_states=(State.HELD,), state=State.RELEASED, at=at, by=by)
    return Done(redemption=one, balance=balance)


@transaction.atomic
def cancel(*, redemption_id: int, at: datetime, reason: str, by: int | None = None) -> Done:
    """Take a redemption back: points return into their own lots, with the programme's grace where those expired.

    What was handed over or sent can be taken back for UNDO only; a code of an offer as long as nobody used it. A second
    time changes nothing. Raises TooLate, CodeUsed.
    """
    one = Redemption.objects.get(pk=redemption_id)
    if one.posting_id is None:
        raise TooLate(one)
    balance = _give_back(one, posting_id=one.posting_id, at=at, reason=reason)
    is_undoable = one.made_at > at - UNDO or one.offer_code_id is not None
    allowed = (*OPEN, *(DONE if is_undoable else ()))
    _leave(one, from_states=allowed, state=State.CANCELLED, at=at, by=by, note=reason)
    return Done(redemption=one, balance=balance)


def _give_back(one: Redemption, *, posting_id: int, at: datetime, reason: str) -> int:
    """What did not come back before, with its order; returns the balance."""
    points = refunding.still_spent(posting_id=posting_id)
    if not points:
        return Account.objects.values_list("balance", flat=True).get(customer=one.customer_id)
    grace_days, key = programme.current().grace_days, f"cancel:{one.key}"
    back = ledger.give_back(posting_id=posting_id, points=points, key=key, at=at, grace_days=grace_days, reason=reason)
    return back.balance


def _spend(
    wish: Wish, priced: _Priced, *, kind: str, key: str, at: datetime, until: datetime | None, by: int | None
) -> ledger.Outcome:
    return ledger.spend(
        customer_id=wish.customer_id,
        kind=kind,
        points=priced.points,
        key=f"{kind}:{key}",
        at=at,
        until=until,
        reason=priced.reason,
        by=by,
    )


def _of(outcome: ledger.Outcome, wish: Wish) -> Wish:
    """The wish of whoever has the points now: the customer may have been merged while we waited for the account."""
    return replace(wish, customer_id=outcome.posting.customer_id)


def _end_hold(one: Redemption, *, kind: str, at: datetime) -> ledger.Outcome:
    """Raises TooLate when there is none, when it is over, or when it ended the other way."""
    if one.hold_id is None:
        raise TooLate(one)
    try:
        return ledger.end_hold(hold_id=one.hold_id, kind=kind, key=f"{kind}:{one.key}", at=at)
    except HoldEnded:
        raise TooLate(one) from None


def _leave(
    one: Redemption, *, from_states: Collection[str], state: str, at: datetime, by: int | None, note: str = ""
) -> None:
    """The end of a redemption, with what it had taken of the reward. Raises TooLate when something else came of it."""
    told = _handed(state, at=at, by=by) | ({"note": note} if note else {})
    if Redemption.objects.filter(pk=one.pk, state__in=from_states).update(**told):
        _put_back(one, at=at)
    one.refresh_from_db()
    if one.state != state:
        raise TooLate(one)


def _priced(wish: Wish, at: datetime, place: str, key: str) -> _Priced:
    """Programs may spend what programs brought over before the programme is switched on, but not while it is paused."""
    current = programme.current()
    if not current.is_open and place != Redemption.Place.API:
        raise SwitchedOff
    if current.is_paused and not Redemption.objects.filter(key=key).exists():
        raise Paused
    if wish.reward_id is None:
        points = wish.points or 0
        cents = worth.cents_of(points, worth_cents=current.worth_cents)
        return _Priced(reward=None, points=points, money_off_cents=cents)
    told = found.priced(wish.reward_id, customer_id=wish.customer_id, at=at)
    if told is None or not found.is_offered_to(told[0], customer_id=wish.customer_id, at=at):
        raise NotOffered(told and told[0], at)
    reward, points = told
    return _Priced(reward=reward, points=points, money_off_cents=reward.money_off_cents or 0)


def _known(key: str, wish: Wish) -> Redemption:
    """What the key made before. Raises KeyReused when that was another reward or order for as many points."""
    one = Redemption.objects.get(key=key)
    if (one.reward_id, one.reference) != (wish.reward_id, wish.reference):
        raise KeyReused(key)
    return one


def _write(wish: Wish, priced: _Priced, *, at: datetime, **facts: Any) -> Redemption:
    """The row, with what it takes of the reward. The account is locked."""
    reward = priced.reward
    if reward is not None and reward.cap is not None and found.had(reward, wish.customer_id, at=at) >= reward.cap:
        raise CapReached(reward)
    pooled = _pool_code(reward) if reward is not None and reward.has_pool else None
    one = Redemption.objects.create(
        customer_id=wish.customer_id,
        reward=reward,
        points=priced.points,
        money_off_cents=priced.money_off_cents,
        took_stock=reward is not None and reward.stock is not None,
        code=codes.new(),
        voucher=pooled.code if pooled else "",
        reference=wish.reference,
        order=find_order(wish.customer_id, wish.reference),
        made_at=at,
        **facts,
    )
    if pooled:
        PoolCode.objects.filter(pk=pooled.pk).update(redemption=one)
    if reward is not None and one.took_stock:
        _take_stock(reward)
    return one


def _give_code(one: Redemption, *, at: datetime) -> None:
    """Of a reward that an offer makes codes for: one for her, in her wallet from now on."""
    reward = one.reward
    if reward is None or reward.offer is None:
        return
    code = given_codes.give(offer=reward.offer, customer_id=one.customer_id, days=reward.code_days, at=at)
    one.offer_code, one.voucher = code, code.shown
    one.save(update_fields=["offer_code", "voucher"])


def _take_stock(reward: Reward) -> None:
    if not Reward.objects.filter(pk=reward.pk, stock__gte=1).update(stock=F("stock") - 1):
        raise OutOfStock(reward)


def _pool_code(reward: Reward) -> PoolCode:
    """The oldest free code, under a lock; codes that others are just taking are passed over."""
    free = PoolCode.objects.filter(reward=reward, redemption=None).order_by("pk")
    one = free.select_for_update(skip_locked=True, no_key=True).first()
    if one is None:
        raise OutOfStock(reward)
    return one


def _put_back(one: Redemption, *, at: datetime) -> None:
    """The piece goes back on the shelf. A code of an offer works no more; one of the pool goes back only when nobody
    has seen it: out of a hold. Raises CodeUsed.
    """
    if one.took_stock:
        Reward.objects.filter(redemptions=one, stock__isnull=False).update(stock=F("stock") + 1)
    if one.offer_code_id is not None and not given_codes.take_back(code_id=one.offer_code_id, at=at):
        raise CodeUsed
    if one.voucher and one.posting_id is None:
        PoolCode.objects.filter(redemption=one).update(redemption=None)


def _first_state(reward: Reward | None, place: str) -> str:
    """What is handed over by staff, or used by a program, at once needs nobody any more; a code is given by itself."""
    if place == Place.TILL or (reward is None and place == Place.API):
        return State.HANDED_OVER
    return State.SENT if reward is not None and reward.kind == Reward.Kind.CODE else State.COMMITTED


def _handed(state: str, *, at: datetime, by: int | None) -> dict[str, Any]:
    """The columns of a new state. Nobody has handled what waits."""
    if state == State.COMMITTED:
        return {"state": state}
    return {"state": state, "handled_at": at, "handled_by_id": by}
