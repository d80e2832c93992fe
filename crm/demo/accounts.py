"""The demo's sign-ins: one for each role, with a password that everybody may know.

They are made by `seed_demo` in a try-out only: on the embedded database of a home whose business is the demo.
"""

from dataclasses import dataclass
from typing import Final

from django.conf import settings

from core import boot
from core.models import Business, Role, User

PASSWORD: Final = "juniper-and-oak"  # noqa: S105 - known to everybody, for a shop that does not exist


@dataclass(frozen=True)
class SignIn:
    role: Role
    email: str
    name: str
    password: str = PASSWORD


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
    """Make the sign-ins that are not there yet; how many were made. Somebody's own account is left as it is."""
    taken = {email.lower() for email in User.objects.values_list("email", flat=True)}
    missing = [one for one in SIGN_INS if one.email not in taken]
    for one in missing:
        make = User.objects.create_superuser if one.role is Role.ADMIN else User.objects.create_user
        make(one.email, one.password, name=one.name, role=one.role)
    return len(missing)


def remove() -> int:
    """Take away the accounts that `create` made: those that still have the demo's address and name."""
    made = User.objects.none()
    for one in SIGN_INS:
        made |= User.objects.filter(email=one.email, name=one.name)
    number = made.count()
    made.delete()
    return number


def sign_ins() -> list[SignIn]:
    """The demo's sign-ins that exist here and still have the demo's password, in the order of the roles."""
    users = {
        user.email: user for user in User.objects.filter(email__in=[one.email for one in SIGN_INS], is_active=True)
    }
    return [one for one in SIGN_INS if one.email in users and users[one.email].check_password(one.password)]


def text() -> str:
    """The sign-ins as lines for the terminal, "" where there are none."""
    return "".join(f"  {one.role.label:<9} {one.email:<22} {one.password}\n" for one in sign_ins())
