"""Sign-in by a code from one's mail: django-allauth's login by code, made safe for many requests at once.

allauth keeps the code and the wrong guesses in the session, which it reads, changes and writes back. Sixty-four
requests with one cookie would all find the code unused, so whoever confirms holds the session's row: signing in
replaces the row, and the others find none. See docs/adr/0014-portal.md.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.internal.flows.login_by_code import LoginCodeVerificationProcess
from allauth.account.models import Login
from allauth.account.stages import LoginByCodeStage, LoginStageController
from allauth.core import ratelimit
from allauth.core.internal.cryptokit import compare_user_code
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.crypto import constant_time_compare, salted_hmac

from core.models import User
from crm.portal import code_mails
from customers.services import portal

KNOWN_COOKIE: Final = "known_here"
KNOWN_SECONDS: Final = 365 * 24 * 60 * 60


class Outcome(StrEnum):
    SIGNED_IN = "signed-in"
    WRONG = "wrong"
    OVER = "over"  # too many guesses, too late, or used already


class CodeProcess(LoginCodeVerificationProcess):
    """One attempt to sign in. It knows an address and no account, so that it goes the same way for all addresses."""

    def send(self, skip_enumeration_mails: bool = False) -> None:
        code_mails.put(
            address=self.state["email"], code=self.generate_code(), language=translation.get_language() or "en"
        )


def ask(request: HttpRequest, *, address: str) -> bool:
    """Have a code made and mailed; False when there were too many of late. Known and unknown addresses are one."""
    action = "request_login_code_at_home" if _is_known_here(request, address) else "request_login_code"
    if not ratelimit.consume(request, action=action, key=address):
        return False
    login = Login(user=None, email=address)
    login.state["stages"] = {"current": LoginByCodeStage.key}
    stage = LoginByCodeStage(LoginStageController(request, login), request, login)
    stage.state.update(CodeProcess.initial_state(user=None, email=address), initiated_by_user=True)
    process = CodeProcess(stage=stage)
    process.send()
    process.persist()
    return True


def asked(request: HttpRequest) -> str:
    """The address that a code was sent to from this browser and that may still be confirmed, or ""."""
    process = _pending(request)
    return str(process.state["email"]) if process else ""


@transaction.atomic
def confirm(request: HttpRequest, *, given: str, at: datetime) -> Outcome:
    """Sign in whoever knows the code. One of many at once does, and what it used up stays used up."""
    if not hold(request):
        return Outcome.OVER
    process = _pending(request)
    if process is None:
        return Outcome.OVER
    address = str(process.state["email"])
    is_right = compare_user_code(actual=given, expected=process.code)
    user = portal.enter(address=address, at=at) if is_right else None
    if user is None:
        has_more = process.record_invalid_attempt()
        keep(request)
        return Outcome.WRONG if has_more else Outcome.OVER
    process.abort()
    let_in(request, user=user, address=address)
    return Outcome.SIGNED_IN


def keep(request: HttpRequest) -> None:
    """Save the session while it is locked, and not once more with the answer: that would undo what others counted."""
    request.session.save()
    request.session.modified = False


def let_in(request: HttpRequest, *, user: User, address: str) -> None:
    """Begin a session of somebody whose code came back."""
    record_authentication(request, user, method="code", email=address)
    perform_login(request, Login(user=user, email=address))
    request.session.set_expiry(settings.CUSTOMER_SESSION_SECONDS)
    request.session.save()


def remember(response: HttpResponse, *, address: str) -> None:
    """Mark a browser as one in which this address has signed in: others who ask for it do not use up its codes."""
    response.set_cookie(
        KNOWN_COOKIE,
        _mark(address),
        max_age=KNOWN_SECONDS,
        path="/me/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _is_known_here(request: HttpRequest, address: str) -> bool:
    return constant_time_compare(request.COOKIES.get(KNOWN_COOKIE, ""), _mark(address))


def _mark(address: str) -> str:
    return salted_hmac("crm.portal.known", address, algorithm="sha256").hexdigest()


def _pending(request: HttpRequest) -> CodeProcess | None:
    stage = LoginStageController.enter(request, LoginByCodeStage.key)
    if stage is None or "email" not in stage.state:
        return None
    process = CodeProcess(stage=stage)
    if not process.is_valid():
        process.abort()
        return None
    return process


def hold(request: HttpRequest) -> bool:
    """Lock the session until the transaction ends, and read it anew; False when it is gone, because it was used."""
    key = request.session.session_key
    if not Session.objects.select_for_update().filter(session_key=key).exists():
        return False
    request.session = type(request.session)(key)
    return True
