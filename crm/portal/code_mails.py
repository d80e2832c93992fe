"""Mailing the codes: by a worker, so that the page takes as long for an address that nobody knows as for any other."""

import logging
import smtplib
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from core import business, doorbell
from customers.models import CodeMail
from customers.services import people_lock, portal
from customers.services.portal import Answer

log = logging.getLogger(__name__)

BELL: Final = "sign_in_codes"
MOST: Final = 500  # mails of one task
# What else there is to say to somebody whose address opens nothing, though we know it.
EXPLAINED: Final = {Answer.SEVERAL: "several", Answer.STAFF: "staff"}


@transaction.atomic
def put(*, address: str, code: str, language: str, customer_id: int | None = None) -> None:
    """With a customer the code makes the address the one that they sign in with; without one it signs in."""
    if customer_id is not None:
        customer_id = people_lock.writing_about(customer_id)
    CodeMail.objects.create(
        address=address, code=code, language=language, customer_id=customer_id, made_at=timezone.now()
    )
    doorbell.ring(BELL)


def is_waiting() -> bool:
    return CodeMail.objects.exists()


def send_waiting(*, at: datetime) -> int:
    """Mail the codes that wait; how many mails went out. A row that a crash loses is asked for again by its person."""
    sent = 0
    for _number in range(MOST):
        if (mail := _claim()) is None:
            break
        sent += _send(mail, at)
    return sent


@transaction.atomic
def _claim() -> CodeMail | None:
    row = CodeMail.objects.select_for_update(skip_locked=True).order_by("pk").first()
    if row is not None:
        CodeMail.objects.filter(pk=row.pk).delete()
    return row


def _send(mail: CodeMail, at: datetime) -> bool:
    if at - mail.made_at > timedelta(seconds=settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT):
        return False
    answer = _answer(mail)
    if answer is not Answer.OPEN and answer not in EXPLAINED:
        return False
    try:
        message(mail, answer).send()
    except (OSError, smtplib.SMTPException) as error:
        log.warning("a sign-in code did not go out: %s", type(error).__name__)
        return False
    return True


def _answer(mail: CodeMail) -> Answer:
    if mail.customer_id is None:
        return portal.find(address=mail.address).answer
    return portal.can_become(address=mail.address, customer_id=mail.customer_id)


def message(mail: CodeMail, answer: Answer) -> EmailMultiAlternatives:
    """Text and HTML in the language of the page that asked."""
    shop = business.current()
    with translation.override(mail.language):
        is_code = answer is Answer.OPEN
        kind = "code" if mail.customer_id is None else "address"
        words = _("%(code)s is your sign-in code") if kind == "code" else _("%(code)s is the code for your new address")
        subject = words % {"code": mail.code} if is_code else _("Your sign-in")
        context = {
            "code": mail.code,
            "business": shop,
            "minutes": settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT // 60,
            "why": EXPLAINED.get(answer, ""),
        }
        built = EmailMultiAlternatives(
            subject=f"{shop.name}: {subject}",
            body=render_to_string(f"me/mail/{kind}.txt", context),
            to=[mail.address],
            headers={"Auto-Submitted": "auto-generated"},
        )
        built.attach_alternative(render_to_string(f"me/mail/{kind}.html", context), "text/html")
    return built
