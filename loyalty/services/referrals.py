"""Referrals: a code is claimed by a friend, the friend's order converts it, the points of both wait until it is safe.

What becomes of a referral follows from the friend's orders, read anew each time, so that running again changes
nothing. The points are lots that become active at `due_at`; their keys name the referral.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_noop

from core import feed
from core.models import Change, User
from customers.models import Customer, Email, Order
from customers.selectors import merged
from customers.services import people_lock
from loyalty import codes, expiry
from loyalty import referral_refusals as refusals
from loyalty.models import Posting, Referral, ReferralCode, ReferralPlan, ReferralStep
from loyalty.selectors import programme as programmes
from loyalty.selectors import referrals as found
from loyalty.services import points

REACTION: Final = "referrals"
AT_ONCE: Final = 500
# What statements say, translated where it is shown.
FOR_A_FRIEND: Final = gettext_noop("Recommendation")
FOR_SEVERAL: Final = gettext_noop("Extra for several friends")
OWN: Final = gettext_noop("Both were one person")
State = Referral.State


@transaction.atomic
def code_for(*, customer_id: int, at: datetime) -> ReferralCode:
    """The customer's code, made when they first ask for it."""
    customer_id = people_lock.writing_about(customer_id)
    known = ReferralCode.objects.filter(customer_id=customer_id).first()
    if known is not None:
        return known
    new = {"code": codes.new(), "starts_at": at}
    return ReferralCode.objects.get_or_create(customer_id=customer_id, defaults=new)[0]


def caller_of(address: str) -> str:
    """An internet address as it is kept: claims from it can be counted, and nobody can read it back."""
    return salted_hmac("loyalty.referral.caller", address, algorithm="sha256").hexdigest() if address else ""


@transaction.atomic
def claim(*, text: str, customer_id: int, at: datetime, caller: str = "") -> Referral:
    """Note that the customer came by this code. Raises a refusal of loyalty.referral_refusals.

    `caller`: see caller_of. What looks like a trick is held for a person to look at: until then nobody gets points.
    """
    customer_id = people_lock.writing_about(customer_id)
    known = found.code_of(text)
    if known is None:
        raise refusals.Unknown
    code = ReferralCode.objects.select_for_update(no_key=True).get(pk=known.pk)
    _refuse(code=code, plan=found.plan(), customer_id=customer_id, at=at)
    reasons = found.suspicions(advocate_id=code.customer_id, friend_id=customer_id, caller=caller, at=at)
    try:
        with transaction.atomic():
            return Referral.objects.create(
                code=code,
                advocate_id=code.customer_id,
                friend_id=customer_id,
                state=State.HELD if reasons else State.PENDING,
                reasons=reasons,
                claimed_at=at,
                caller=caller,
            )
    except IntegrityError:
        raise refusals.AlreadyReferred from None


def _refuse(*, code: ReferralCode, plan: ReferralPlan, customer_id: int, at: datetime) -> None:
    """Raises the first refusal that applies. The code's row is locked, so that its limit holds."""
    same = found.same_person(customer_id)
    if code.customer_id == customer_id or (code.customer_id in same and _share_an_email(code.customer_id, customer_id)):
        raise refusals.OwnCode
    if Referral.objects.filter(friend=customer_id).exists():
        raise refusals.AlreadyReferred
    if found.is_above(customer_id=code.customer_id, wanted=customer_id):
        raise refusals.InACircle
    if programmes.current().is_paused:
        raise refusals.Expired
    if not plan.is_open or at < code.starts_at or (code.ends_at is not None and at >= code.ends_at):
        raise refusals.Expired(ended_at=code.ends_at)
    if found.had_bought(customer_id, before=at):
        raise refusals.NotNew
    most = code.max_uses or plan.most_friends
    if most is not None and code.referrals.filter(state__in=found.COUNTED).count() >= most:
        raise refusals.Limit


def _share_an_email(one: int, other: int) -> bool:
    """The same mailbox is the same person; the same telephone may be a household's."""
    addresses = Email.objects.filter(customer=one).values("address")
    return Email.objects.filter(customer=other, address__in=addresses).exists()


@transaction.atomic
def follow(*, at: datetime) -> int:
    """Bring the referrals of customers whose orders changed up to date; returns how many were looked at.

    A reaction with a cursor of its own: what it was told twice it does once.
    """
    since, until = feed.position(REACTION), feed.horizon()
    touched = _touched(since=since, until=until)
    for pk in touched:
        judge(referral_id=pk, at=at)
    feed.advance(REACTION, until)
    return len(touched)


def _touched(*, since: int, until: int) -> list[int]:
    open_ones = Referral.objects.filter(state__in=found.OPEN)
    if since:
        changed = feed.pending(Change.Kind.CUSTOMER_ORDERS, since=since, until=until)
        addresses = Email.objects.filter(customer__in=changed).values("address")
        open_ones = open_ones.filter(Q(friend__in=changed) | Q(friend__emails__address__in=addresses)).distinct()
    return list(open_ones.order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def judge(*, referral_id: int, at: datetime) -> Referral:
    """What the friend's orders make of a referral now."""
    people_lock.writing()
    referral = Referral.objects.select_for_update(no_key=True).get(pk=referral_id)
    plan = found.plan()
    if referral.state not in found.OPEN:
        return referral
    if referral.order_id is not None:
        return _look_again(referral, plan, at)
    if found.had_bought(referral.friend_id, before=referral.claimed_at):
        return _end(referral, State.REFUSED)
    order = found.counting_order(referral, plan)
    if order is not None:
        return _convert(referral, plan, order, at)
    if at > referral.claimed_at + timedelta(days=plan.window_days):
        return _end(referral, State.EXPIRED)
    return referral


def _convert(referral: Referral, plan: ReferralPlan, order: Order, at: datetime) -> Referral:
    referral.order_id, referral.converted_at = order.pk, order.placed_at
    referral.friend_id = order.customer_id or referral.friend_id
    referral.due_at = order.placed_at + timedelta(days=plan.pending_days)
    referral.advocate_points, referral.friend_points = plan.advocate_points, plan.friend_points
    _look_once_more(referral)
    if referral.state == State.PENDING:
        referral.state = State.CONVERTED
        _pay(referral, at)
    referral.save()
    return referral


def _look_once_more(referral: Referral) -> None:
    """Orders bring addresses and numbers along. What a person has released stays released."""
    if referral.state != State.PENDING or referral.decided_at is not None:
        return
    referral.reasons = found.suspicions(
        advocate_id=referral.advocate_id, friend_id=referral.friend_id, caller="", at=referral.claimed_at
    )
    if referral.reasons:
        referral.state = State.HELD


def _look_again(referral: Referral, plan: ReferralPlan, at: datetime) -> Referral:
    """Whether the order still stands; points of one that came back are taken back."""
    order = Order.objects.filter(pk=referral.order_id or 0).first()
    if order is not None and order.customer_id == referral.friend_id and found.counts(order, plan):
        return referral
    _take_back(referral, at)
    was_rewarded = referral.state == State.REWARDED
    _end(referral, State.REVERSED)
    if was_rewarded:
        _climb(referral.advocate_id, at)
    return referral


def _end(referral: Referral, state: Referral.State) -> Referral:
    referral.state = state
    referral.save(update_fields=["state"])
    return referral


def _shares(referral: Referral) -> Iterable[tuple[str, int, int]]:
    """Who gets how much: name in the key, customer, points."""
    shares = (
        ("advocate", referral.advocate_id, referral.advocate_points),
        ("friend", referral.friend_id, referral.friend_points),
    )
    return (share for share in shares if share[2])


def _pay(referral: Referral, at: datetime) -> None:
    """Points for both, pending until the return window has passed."""
    due_at = referral.due_at or at
    active_at = max(due_at, at)
    expires_at = expiry.expires_at(programmes.terms(programmes.current()), active_at=active_at)
    for name, customer_id, worth in _shares(referral):
        points.earn(
            customer_id=customer_id,
            points=worth,
            key=f"referral:{referral.pk}:{name}",
            at=at,
            active_at=active_at,
            expires_at=expires_at,
            reason=FOR_A_FRIEND,
        )


def _take_back(referral: Referral, at: datetime) -> None:
    keys = {f"referral:{referral.pk}:{name}" for name, _customer, _worth in _shares(referral)}
    for posting in Posting.objects.filter(key__in=keys).order_by("pk"):
        _reverse(posting, at)


def _reverse(posting: Posting, at: datetime) -> None:
    policy = programmes.current().refund_policy
    points.reverse(posting_id=posting.pk, points=posting.asked, key=f"reverse:{posting.key}", at=at, policy=policy)


@transaction.atomic
def release(*, referral_id: int, by: User, at: datetime) -> Referral:
    """A person looked and found nothing wrong. Raises AlreadyDecided."""
    referral = _held(referral_id)
    referral.decided_by, referral.decided_at = by, at
    referral.state = State.PENDING
    if referral.order_id is not None:
        referral.state = State.CONVERTED
        _pay(referral, at)
    referral.save()
    return judge(referral_id=referral_id, at=at)


@transaction.atomic
def cancel(*, referral_id: int, by: User, at: datetime, note: str) -> Referral:
    """A person looked and found a trick: nobody gets anything for it. Raises AlreadyDecided."""
    referral = _held(referral_id)
    referral.decided_by, referral.decided_at, referral.note = by, at, note.strip()[:300]
    referral.state = State.CANCELLED
    referral.save()
    return referral


@transaction.atomic
def join(*, into: int, other: int, at: datetime) -> None:
    """Two customers are one person: whom `other` recommended, and who recommended `other`, is `into`'s matter now.

    Call it after their orders and points are one customer's. Nobody recommends herself, and nobody is recommended
    twice: such a referral stays with `other` as it was, and ends.
    """
    pair = [into, other]
    about = Referral.objects.filter(Q(advocate__in=pair) | Q(friend__in=pair)).order_by("pk")
    list(about.select_for_update(no_key=True))
    own = about.filter(advocate__in=pair, friend__in=pair)
    brought = about.filter(friend=other).exclude(advocate=into)
    ending = [*own, *(brought if about.filter(friend=into).exists() else ())]
    brought.exclude(pk__in=[one.pk for one in ending]).update(friend=into)
    about.filter(advocate=other).exclude(friend=into).update(advocate=into)
    _hand_over_code(into=into, other=other, at=at)
    for referral in ending:
        _end_as_own(referral, at)
    if about.filter(advocate=into).exists():
        _climb(into, at)


def _hand_over_code(*, into: int, other: int, at: datetime) -> None:
    """One customer has one code: the other's ends where both have one."""
    if ReferralCode.objects.filter(customer=into).exists():
        works = Q(ends_at=None) | Q(ends_at__gt=at)
        ReferralCode.objects.filter(works, customer=other, starts_at__lt=at).update(ends_at=at)
    else:
        ReferralCode.objects.filter(customer=other).update(customer=into)


def _end_as_own(referral: Referral, at: datetime) -> None:
    """As if the orders behind it had come back; what nobody was paid for is cancelled."""
    was, referral.note = referral.state, OWN
    if was in (State.CONVERTED, State.REWARDED):
        _take_back(referral, at)
        referral.state = State.REVERSED
    elif was in found.OPEN:
        referral.state = State.CANCELLED
    referral.save(update_fields=["state", "note"])
    if was == State.REWARDED:
        _climb(referral.advocate_id, at)


class AlreadyDecided(Exception):
    """Somebody else has looked at it, or the facts have decided."""


def _held(referral_id: int) -> Referral:
    people_lock.writing()
    referral = Referral.objects.select_for_update(no_key=True).get(pk=referral_id)
    if referral.state != State.HELD:
        raise AlreadyDecided
    return referral


def pass_time(*, at: datetime) -> int:
    """What time alone decides, a bounded number at once: windows that closed, points that became active, steps."""
    plan = found.plan()
    closed = Q(state=State.PENDING, claimed_at__lt=at - timedelta(days=plan.window_days))
    waiting = Referral.objects.filter(closed).order_by("claimed_at", "pk").values_list("pk", flat=True)[:AT_ONCE]
    for pk in waiting:
        judge(referral_id=pk, at=at)
    due = Referral.objects.filter(state=State.CONVERTED, due_at__lte=at)
    ready = list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:AT_ONCE])
    for pk in ready:
        _reward(referral_id=pk, at=at)
    return len(waiting) + len(ready)


@transaction.atomic
def _reward(*, referral_id: int, at: datetime) -> None:
    referral = judge(referral_id=referral_id, at=at)
    if referral.state != State.CONVERTED:
        return
    _end(referral, State.REWARDED)
    _climb(referral.advocate_id, at)


def _climb(advocate_id: int, at: datetime) -> None:
    """Give the points of every step that the advocate has reached, and take back those of steps reached no longer.

    One process at a time: two friends may come at once.
    """
    Customer.objects.select_for_update(no_key=True).get(pk=advocate_id)
    friends = Referral.objects.filter(advocate=advocate_id, state=State.REWARDED).count()
    ids = merged.everybody(advocate_id)
    for step in ReferralStep.objects.order_by("friends"):
        name = f"referral_step:{advocate_id}:{step.friends}:"
        ours = [Q(key__startswith=f"referral_step:{pk}:{step.friends}:") for pk in ids]
        given = list(Posting.objects.filter(reduce(or_, ours)).order_by("pk"))
        stands = bool(given) and not given[-1].consequences.filter(kind=Posting.Kind.REVERSE).exists()
        if step.friends <= friends and not stands:
            _give(step, advocate_id, key=f"{name}{len(given) + 1}", at=at)
        elif step.friends > friends and stands:
            _reverse(given[-1], at)


def _give(step: ReferralStep, advocate_id: int, *, key: str, at: datetime) -> None:
    ends = expiry.expires_at(programmes.terms(programmes.current()), active_at=at)
    points.earn(customer_id=advocate_id, points=step.points, key=key, at=at, expires_at=ends, reason=FOR_SEVERAL)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What the plan promises and asks for; see ReferralPlan."""

    advocate_points: int
    friend_points: int
    least_cents: int
    window_days: int
    pending_days: int
    most_friends: int | None
    is_open: bool


def locked_plan() -> ReferralPlan:
    """The terms under a lock: for a transaction that decides by them and then writes them."""
    return ReferralPlan.objects.select_for_update().get(pk=found.plan().pk)


@transaction.atomic
def set_terms(*, terms: Terms, at: datetime) -> ReferralPlan:
    """Other terms, for friends who order from now on; what was promised to others stays."""
    plan = locked_plan()
    told = asdict(terms)
    told["opened_at"] = (plan.opened_at or at) if told.pop("is_open") else None
    for name, value in told.items():
        setattr(plan, name, value)
    plan.save()
    return plan


def set_step(*, friends: int, points: int) -> ReferralStep:
    """So many points once so many friends have brought theirs; for those who get there from now on."""
    return ReferralStep.objects.update_or_create(friends=friends, defaults={"points": points})[0]
