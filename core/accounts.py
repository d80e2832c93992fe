"""Sign-in rules: nobody signs up by themselves, and staff set up a second factor where the installation asks for it.

Customers sign in by a code that is mailed to them (crm.portal), not by a password.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _

from core.models import User

SECOND_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
# What somebody without a second factor may still open: the pages that set one up, and the way out.
SET_UP_ROUTES = frozenset(
    {
        "account_login",
        "account_logout",
        "account_reauthenticate",
        "settings:language_set",
        "mfa_index",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn",
    }
)


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are made by an admin."""
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Customers have pages of their own."""
        if isinstance(request.user, User) and request.user.is_customer:
            return resolve_url(settings.CUSTOMER_HOME)
        return str(super().get_login_redirect_url(request))

    def set_password(self, user: AbstractBaseUser, password: str) -> None:
        """Whoever chooses a password has followed their invitation."""
        super().set_password(user, password)
        User.objects.filter(pk=user.pk).update(invited_until=None)


class MFAAdapter(DefaultMFAAdapter):
    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """The last second factor stays where one is required."""
        if not settings.STAFF_SECOND_FACTOR_REQUIRED or authenticator.type not in SECOND_FACTORS:
            return True
        others = Authenticator.objects.filter(user_id=authenticator.user_id, type__in=SECOND_FACTORS)
        return others.exclude(pk=authenticator.pk).exists()


class SecondFactorMiddleware:
    """Sends people without a second factor to set one up, when STAFF_SECOND_FACTOR_REQUIRED is on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: object, kwargs: object
    ) -> HttpResponseBase | None:
        if not settings.STAFF_SECOND_FACTOR_REQUIRED or not request.user.is_authenticated or request.user.is_customer:
            return None
        match = request.resolver_match
        if match is not None and match.view_name in SET_UP_ROUTES:
            return None
        if is_mfa_enabled(request.user, SECOND_FACTORS):
            return None
        messages.warning(request, _("This installation asks for a second factor. Set one up to go on."))
        return redirect("mfa_index")


class SeenMiddleware:
    """Keeps when each session was last seen, exact to five minutes, so that pages do not each cost a write."""

    EXACT_TO: Final = timedelta(minutes=5)

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if isinstance(request.user, User) and request.user.last_login:
            now = timezone.now()
            written = request.session.get("seen_at", request.user.last_login.timestamp())
            if now.timestamp() - written > self.EXACT_TO.total_seconds():
                request.session["seen_at"] = now.timestamp()
                UserSession.objects.filter(session_key=request.session.session_key).update(last_seen_at=now)
        return self.get_response(request)
