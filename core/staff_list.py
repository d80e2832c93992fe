"""The staff as a list: who is there, how they are protected, and when they were last seen."""

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.db.models.functions import Greatest

from core.accounts import SECOND_FACTORS
from core.models import User


def people() -> QuerySet[User]:
    """All staff, those who are here first, with `has_factor` and `seen_at`. One query."""
    factors = Authenticator.objects.filter(user_id=OuterRef("pk"), type__in=SECOND_FACTORS)
    seen = Greatest(Max("usersession__last_seen_at"), "last_login")  # PostgreSQL's greatest leaves out what is null
    return User.objects.staff().annotate(has_factor=Exists(factors), seen_at=seen).order_by("-is_active", "email", "pk")


def sessions_of(user: User) -> list[UserSession]:
    """The sessions of somebody that still open something, the latest first."""
    alive: list[UserSession] = UserSession.objects.purge_and_list(user)
    return sorted(alive, key=lambda session: session.last_seen_at, reverse=True)
