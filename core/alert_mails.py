"""Mails about alerts: each once. A row says what becomes of it, and is committed before the mail server is called.

A crash between the two commits leaves a row in `sending`: nobody can know whether the mail went out, so after a lease
it is `uncertain` and not sent again.
"""

import logging
import smtplib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from core import alert_texts, business
from core.models import AlertMail, User

log = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=10)
MOST_ATTEMPTS: Final = 6
BACKOFF: Final = timedelta(minutes=2)
SINGLE: Final = 5  # more at once are one mail
MOST_PEOPLE: Final = 100
State = AlertMail.State


class Unsent(Exception):
    """The mail certainly did not go out; another try may work."""


class Rejected(Exception):
    """The mail server does not want it; another try is of no use."""


@dataclass(frozen=True, slots=True)
class Claim:
    user: User
    mails: Sequence[AlertMail]


def send_waiting(*, at: datetime) -> int:
    """Send what waits, person by person; returns how many messages went out."""
    mark_uncertain(at=at)
    sent = 0
    for number in _people(at):
        while (claim := _claim(user_id=number, at=at)) is not None:
            sent += _send(claim, at)
    return sent


def mark_uncertain(*, at: datetime) -> int:
    left = AlertMail.objects.filter(state=State.SENDING, claimed_at__lt=at - LEASE)
    return left.update(state=State.UNCERTAIN, error="The sender went away.")


def _people(at: datetime) -> list[int]:
    waiting = AlertMail.objects.filter(state=State.PENDING, ready_at__lte=at)
    return list(waiting.order_by("user_id").values_list("user_id", flat=True).distinct()[:MOST_PEOPLE])


@transaction.atomic
def _claim(*, user_id: int, at: datetime) -> Claim | None:
    """Take one waiting mail of a person, or all of them where they are many. Two senders never take the same."""
    waiting = AlertMail.objects.filter(user_id=user_id, state=State.PENDING, ready_at__lte=at)
    rows = waiting.select_related("alert", "user").select_for_update(skip_locked=True, of=("self",)).order_by("pk")
    taken = list(rows)
    taken = taken if len(taken) > SINGLE else taken[:1]
    for row in taken:
        row.state, row.claimed_at, row.attempts = State.SENDING, at, row.attempts + 1
        row.save(update_fields=["state", "claimed_at", "attempts"])
    return Claim(user=taken[0].user, mails=taken) if taken else None


def _send(claim: Claim, at: datetime) -> bool:
    try:
        deliver(message(user=claim.user, mails=claim.mails))
    except Unsent as error:
        _again(claim, str(error), at)
    except Rejected as error:
        _settle(claim, State.FAILED, str(error))
    except Exception as error:
        log.exception("a mail about an alert may or may not have gone out")
        _settle(claim, State.UNCERTAIN, type(error).__name__)
    else:
        _settle(claim, State.SENT)
        return True
    return False


def deliver(mail: EmailMultiAlternatives) -> None:
    """Hand a mail to the server. Raises Unsent or Rejected where it is certain that it did not go out."""
    server = get_connection()
    try:
        server.open()
    except (OSError, smtplib.SMTPException) as error:
        raise Unsent(type(error).__name__) from error
    try:
        server.send_messages([mail])
    except smtplib.SMTPRecipientsRefused as error:
        raise _refusal(max((code for code, _said in error.recipients.values()), default=550)) from error
    except smtplib.SMTPResponseException as error:
        raise _refusal(error.smtp_code) from error
    finally:
        server.close()


def _refusal(code: int) -> Exception:
    """4xx asks to come back, 5xx is an answer for good."""
    return Unsent(f"SMTP {code}") if 400 <= code < 500 else Rejected(f"SMTP {code}")


def _again(claim: Claim, error: str, at: datetime) -> None:
    attempts = max(mail.attempts for mail in claim.mails)
    if attempts >= MOST_ATTEMPTS:
        _settle(claim, State.FAILED, error)
    else:
        _settle(claim, State.PENDING, error, ready_at=at + BACKOFF * 2**attempts)


def _settle(claim: Claim, state: State, error: str = "", **changes: datetime) -> None:
    """Only where the claim is still ours: a lease that ran out has made the rows uncertain."""
    for mail in claim.mails:
        ours = AlertMail.objects.filter(pk=mail.pk, state=State.SENDING, attempts=mail.attempts)
        ours.update(state=state, error=error[:200], **changes)


def message(*, user: User, mails: Sequence[AlertMail]) -> EmailMultiAlternatives:
    """Text and HTML in the reader's language, with a Message-ID that stays the same however often it is made."""
    shop = business.current()
    with translation.override(user.language or settings.LANGUAGE_CODE), timezone.override(shop.zone):
        alerts = [alert_texts.shown(mail.alert) for mail in mails]
        several = _("%(count)d things need attention") % {"count": len(alerts)}
        context = {"alerts": alerts, "business": shop, "user": user, "home": settings.PUBLIC_URL.rstrip("/")}
        mail = EmailMultiAlternatives(
            subject=f"{shop.name}: {alerts[0].text.title if len(alerts) == 1 else several}",
            body=render_to_string("core/mail/alert.txt", context),
            to=[user.email],
            headers={
                "Message-ID": f"<alert-{mails[0].pk}-{mails[-1].pk}@perennial>",
                "Auto-Submitted": "auto-generated",
            },
        )
        mail.attach_alternative(render_to_string("core/mail/alert.html", context), "text/html")
    return mail
