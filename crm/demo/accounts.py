"""The demo's sign-ins: one for each role, with a password that everybody may know.

They are made by `seed_demo` in a try-out only: on the embedded database of a home whose business is the demo.
"""

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Final

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db.models import Q, QuerySet

from core import boot
from core.models import Business, Role, User
from crm.demo import club

PASSWORD: Final = "juniper-and-oak"  # noqa: S105 - known to everybody, for a shop that does not exist


@dataclass(frozen=True)
class SignIn:
    role: Role
    email: str
    name: str

    @property
    def password(self) -> str:
        return PASSWORD


SIGN_INS: Final = [
    SignIn(Role.ADMIN, "admin@example.com", "Aoife Brennan"),
    SignIn(Role.MANAGER, "manager@example.com", "Declan Walsh"),
    SignIn(Role.MARKETER, "marketer@example.com", "Inês Carvalho"),
    SignIn(Role.AGENT, "agent@example.com", "Łukasz Mazur"),
    SignIn(Role.VIEWER, "viewer@example.com", "Priya Nair"),
]


def is_try_out(business: Business) -> bool:
    """Whether well-known passwords do no harm: the demo's own home, no database of a real deployment."""
    return business.is_demo and boot.embeds_postgres() and not settings.STAFF_SECOND_FACTOR_REQUIRED


def create() -> int:
    """Make the sign-ins that are not there yet; how many were made. Somebody's own account is left as it is.

    They share one hash: the password is no secret, and each further hash would take a tenth of a second.
    """
    taken = {email.lower() for email in User.objects.values_list("email", flat=True)}
    missing = [one for one in SIGN_INS if one.email not in taken]
    hashed = make_password(PASSWORD) if missing else ""
    User.objects.bulk_create([user(one, hashed) for one in missing])
    return len(missing)


def user(one: SignIn, hashed: str) -> User:
    is_admin = one.role is Role.ADMIN
    return User(
        email=one.email,
        name=one.name,
        role=one.role,
        password=hashed,
        is_staff=is_admin,
        is_superuser=is_admin,
        may_export=one.role is Role.MANAGER,
    )


def remove() -> int:
    """Take away the accounts that `create` made."""
    number = made().count()
    made().delete()
    return number


def made() -> QuerySet[User]:
    """The accounts that `create` made: those that still have the demo's address and name."""
    return User.objects.filter(reduce(or_, (Q(email=one.email, name=one.name) for one in SIGN_INS)))


def is_made(user: User) -> bool:
    return made().filter(pk=user.pk).exists()


def sign_ins() -> list[SignIn]:
    """The demo's sign-ins that exist here and still have the demo's password, in the order of the roles."""
    users = User.objects.filter(email__in=[one.email for one in SIGN_INS], is_active=True)
    hashes = dict(users.values_list("email", "password"))
    known = {hashed for hashed in set(hashes.values()) if check_password(PASSWORD, hashed)}
    return [one for one in SIGN_INS if hashes.get(one.email) in known]


def text() -> str:
    """The sign-ins as lines for the terminal, "" where there are none."""
    lines = [f"  {one.role.label:<9} {one.email:<22} {one.password}\n" for one in sign_ins()]
    address = club.member_address() if lines else ""
    if address:
        lines.append(f"  Customer  {address:<22} at /me/, with a code by mail (admins see it at /outbox/)\n")
    return "".join(lines)
