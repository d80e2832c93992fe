"""A customer's new address to sign in with: it counts once the code that was mailed to it has come back.

The page is the same for every address. A worker looks whether it can be theirs, and mails the code or says why not.
"""

from datetime import datetime
from typing import Any, Final

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.code_verification import AbstractCodeVerificationProcess
from allauth.core import ratelimit
from allauth.core.internal.cryptokit import compare_user_code
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext as _

from core import business, staff_mails
from crm.portal import code_mails, codes
from crm.portal.codes import Outcome
from customers.models import PortalAccess
from customers.services import portal

KEY: Final = "new_address"


class AddressProcess(AbstractCodeVerificationProcess):
    """One attempt of a session to take another address."""

    def __init__(self, request: HttpRequest, state: dict[str, Any]) -> None:
        super().__init__(
            max_attempts=settings.ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS,
            timeout=settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT,
            state=state,
        )
        self.request = request

    def send(self) -> None:
        self.state["code"] = get_adapter().generate_login_code()
        code_mails.put(
            address=self.state["email"],
            code=self.code,
            language=translation.get_language() or "en",
            customer_id=self.state["customer_id"],
        )

    def persist(self) -> None:
        self.request.session[KEY] = self.state

    def abort(self) -> None:
        self.request.session.pop(KEY, None)


def ask(request: HttpRequest, *, access: PortalAccess, address: str) -> bool:
    """Have a code mailed to the new address; False when there were too many of late."""
    if not ratelimit.consume(request, action="change_address", key=address):
        return False
    state = AddressProcess.initial_state(user=None, email=address) | {"customer_id": access.customer_id}
    process = AddressProcess(request, state)
    process.send()
    process.persist()
    return True


def asked(request: HttpRequest) -> str:
    """The address whose code may still come back in this session, or ""."""
    process = _pending(request)
    return str(process.state["email"]) if process else ""


@transaction.atomic
def confirm(request: HttpRequest, *, access: PortalAccess, given: str, at: datetime) -> Outcome:
    """Take the new address, tell the old one, and sign in anew; every other session of the customer's ends."""
    process = _pending(request) if codes.hold(request) else None
    if process is None:
        return Outcome.OVER
    address = str(process.state["email"])
    is_right = compare_user_code(actual=given, expected=process.code)
    user = portal.change_address(access=access, address=address, at=at) if is_right else None
    if user is None:
        has_more = process.record_invalid_attempt()
        codes.keep(request)
        return Outcome.WRONG if has_more else Outcome.OVER
    process.abort()
    codes.let_in(request, user=user, address=address)
    transaction.on_commit(lambda: _tell(access.address))
    return Outcome.SIGNED_IN


def _tell(old: str) -> None:
    shop = business.current()
    subject = _("%(shop)s: Your sign-in address was changed") % {"shop": shop.name}
    staff_mails.send(to=old, subject=subject, template="me/mail/moved", context={"business": shop})


def _pending(request: HttpRequest) -> AddressProcess | None:
    state = request.session.get(KEY)
    process = AddressProcess(request, state) if state else None
    if process is None or not process.is_valid():
        request.session.pop(KEY, None)
        return None
    return process
