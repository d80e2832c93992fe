"""Mails that pages send at once. One that cannot go out is no error: the link can be handed over by hand."""

import logging
import smtplib
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from core.models import Business, User

log = logging.getLogger(__name__)
NOWHERE: Final = {
    "django.core.mail.backends.console.EmailBackend",
    "django.core.mail.backends.dummy.EmailBackend",
}


def invite(*, user: User, by: User, link: str, business: Business) -> bool:
    """Send an invitation in the reader's language, or the page's; False when it did not go out."""
    with translation.override(user.language or translation.get_language()):
        subject = _("%(who)s invites you to %(shop)s") % {"who": by, "shop": business.name}
        context = {"user": user, "by": by, "link": link, "business": business}
        return send(to=user.email, subject=subject, template="core/mail/invitation", context=context)


def can_send() -> bool:
    """Whether mail leaves this machine at all."""
    return settings.EMAIL_BACKEND not in NOWHERE


def send(*, to: str, subject: str, template: str, context: dict[str, Any]) -> bool:
    """A mail of the templates `template`.txt and .html; False when it did not go out."""
    if not can_send():
        return False
    mail = EmailMultiAlternatives(
        subject=" ".join(subject.split()), body=render_to_string(f"{template}.txt", context), to=[to]
    )
    mail.attach_alternative(render_to_string(f"{template}.html", context), "text/html")
    try:
        mail.send()
    except (OSError, smtplib.SMTPException) as error:
        log.warning("a mail did not go out: %s", type(error).__name__)
        return False
    return True
