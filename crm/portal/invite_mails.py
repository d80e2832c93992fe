"""The mail to somebody who opened a friend's link: a button that says it was them."""

import logging
import smtplib
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from core import business
from loyalty.models import ReferralInvite
from loyalty.selectors import referrals
from loyalty.services import invites

log = logging.getLogger(__name__)


def send_waiting(*, at: datetime) -> int:
    return invites.send_waiting(at=at, send=_send)


def _send(invite: ReferralInvite, token: str) -> None:
    try:
        message(invite, token).send()
    except (OSError, smtplib.SMTPException) as error:
        log.warning("an invitation by a friend did not go out: %s", type(error).__name__)


def message(invite: ReferralInvite, token: str) -> EmailMultiAlternatives:
    shop = business.current()
    with translation.override(invite.language):
        asked = _("Is this your address?")
        context = {
            "business": shop,
            "plan": referrals.plan(),
            "days": invites.GOOD_FOR.days,
            "link": settings.PUBLIC_URL.rstrip("/") + reverse("invited_confirm", args=[token]),
        }
        mail = EmailMultiAlternatives(
            subject=f"{shop.name}: {asked}",
            body=render_to_string("me/mail/invited.txt", context),
            to=[invite.address],
            headers={"Auto-Submitted": "auto-generated"},
        )
        mail.attach_alternative(render_to_string("me/mail/invited.html", context), "text/html")
    return mail
