"""A friend's link: who opens it types an address, the address gets a mail, its button claims the code.

Only the digest of the mail's token is kept. Opening the mail's link changes nothing, because mail scanners do that
too; the button consumes it, once.
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from django.db import transaction

from core import doorbell
from customers.models import Customer
from customers.services import upserts
from loyalty import referral_refusals as refusals
from loyalty.models import Referral, ReferralCode, ReferralInvite
from loyalty.selectors import programme as programmes
from loyalty.selectors import referrals as found
from loyalty.services import referrals

BELL: Final = "invitations"
SOURCE: Final = "referral"  # of customers who came by a friend's link before they bought
GOOD_FOR: Final = timedelta(days=7)
MOST_AN_ADDRESS: Final = 3  # mails to one address within GOOD_FOR, whoever asks
MOST_AT_ONCE: Final = 200
PRUNED_AT_ONCE: Final = 5000


class Over(Exception):
    """The link was used, has run out, or never was."""


class Unclear(Exception):
    """The address is written down for more than one customer."""


@transaction.atomic
def ask(*, code: ReferralCode, address: str, name: str, language: str, at: datetime) -> None:
    """Send the address a mail with a button, unless it got enough of them; whoever asks is told the same."""
    lately = ReferralInvite.objects.filter(address=address, made_at__gt=at - GOOD_FOR)
    if lately.count() >= MOST_AN_ADDRESS:
        return
    told = {"address": address, "name": name, "language": language}
    ReferralInvite.objects.create(code=code, made_at=at, **told)
    doorbell.ring(BELL)


def is_waiting() -> bool:
    return ReferralInvite.objects.filter(digest="").exists()


def send_waiting(*, at: datetime, send: Callable[[ReferralInvite, str], None]) -> int:
    """Give those that wait a token each, committed before `send` is called with it; returns how many.

    A crash in between costs the mail, and its person asks again: a link is never mailed twice.
    """
    sent = 0
    while sent < MOST_AT_ONCE and (claimed := _with_token(at)) is not None:
        send(*claimed)
        sent += 1
    return sent


@transaction.atomic
def _with_token(at: datetime) -> tuple[ReferralInvite, str] | None:
    waiting = ReferralInvite.objects.filter(digest="", made_at__gt=at - GOOD_FOR).select_related("code__customer")
    invite = waiting.select_for_update(skip_locked=True, of=("self",)).order_by("pk").first()
    if invite is None:
        return None
    token = secrets.token_urlsafe(32)
    invite.digest = _digest(token)
    invite.save(update_fields=["digest"])
    return invite, token


def find(*, token: str, at: datetime) -> ReferralInvite:
    """The invitation of a token that can still be used. Changes nothing. Raises Over."""
    open_ones = ReferralInvite.objects.filter(used_at=None, made_at__gt=at - GOOD_FOR)
    invite = open_ones.select_related("code__customer").filter(digest=_digest(token)).first()
    if invite is None:
        raise Over
    return invite


@transaction.atomic
def accept(*, token: str, at: datetime, caller: str = "") -> Referral:
    """Claim the code for the person whose address it is, who becomes a customer if they are none.

    Raises Over, Unclear and the refusals of loyalty.referral_refusals; these leave the token unused.
    """
    invite = find(token=token, at=at)
    if not ReferralInvite.objects.filter(pk=invite.pk, used_at=None).update(used_at=at):
        raise Over
    customer_id = _customer(invite)
    return referrals.claim(text=invite.code.code, customer_id=customer_id, at=at, caller=caller)


def _customer(invite: ReferralInvite) -> int:
    known = list(Customer.objects.filter(emails__address=invite.address).values_list("pk", flat=True)[:2])
    if len(known) > 1:
        raise Unclear
    if known:
        return int(known[0])
    told = {"name": invite.name, "email": invite.address, "locale": invite.language}
    return int(upserts.customer(source=SOURCE, external_id=str(uuid4()), told=told).row.pk)


def open_code(*, text: str, at: datetime) -> ReferralCode:
    """The code of a link that works now. Raises Unknown and Expired of loyalty.referral_refusals."""
    code = found.code_of(text)
    if code is None:
        raise refusals.Unknown
    if programmes.current().is_paused:
        raise refusals.Expired
    if not found.plan().is_open or at < code.starts_at or (code.ends_at is not None and at >= code.ends_at):
        raise refusals.Expired(ended_at=code.ends_at)
    return code


def prune(*, at: datetime) -> int:
    """Forget addresses of links that ran out, a bounded number at once; returns how many."""
    old = ReferralInvite.objects.filter(made_at__lt=at - GOOD_FOR).order_by("made_at", "pk")[:PRUNED_AT_ONCE]
    return ReferralInvite.objects.filter(pk__in=old.values("pk")).delete()[0]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
