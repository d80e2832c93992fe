"""Who may see a customer's own pages: by an address that has proved to be theirs.

Nothing is joined by e-mail on its own: an address that several customers share opens none of them until staff say
which one. See docs/adr/0014-portal.md.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import staff
from core.models import CUSTOMER, User
from customers.models import Customer, Email, Phone, PortalAccess
from customers.places import Place
from customers.services import people_lock, search


class Answer(StrEnum):
    """What an address opens: a customer's pages, or why not."""

    OPEN = "open"
    NOBODY = "nobody"
    SEVERAL = "several"
    STAFF = "staff"
    CLOSED = "closed"


@dataclass(frozen=True, kw_only=True)
class Finding:
    answer: Answer
    customer_id: int | None = None


class PortalError(Exception):
    """The message says why this cannot be done, in words for the person of the staff who tried."""


def find(*, address: str) -> Finding:
    """What an address opens now, or would open once its code has come back."""
    address = address.lower()
    if access := PortalAccess.objects.select_related("user", "customer").filter(address=address).first():
        is_open = access.user.is_active and access.customer.archived_at is None
        return Finding(answer=Answer.OPEN if is_open else Answer.CLOSED, customer_id=access.customer_id)
    if User.objects.filter(email__iexact=address).exists():
        return Finding(answer=Answer.STAFF)
    known = list(
        Customer.objects.filter(emails__address=address, archived_at=None)
        .order_by("pk")
        .values_list("pk", flat=True)[:2]
    )
    if len(known) == 1:
        return Finding(answer=Answer.OPEN, customer_id=known[0])
    return Finding(answer=Answer.SEVERAL if known else Answer.NOBODY)


def can_become(*, address: str, customer_id: int) -> Answer:
    """Whether an address can become a customer's way in: OPEN, or whose it is. One of another customer cannot."""
    if access := PortalAccess.objects.filter(address=address).first():
        return Answer.OPEN if access.customer_id == customer_id else Answer.SEVERAL
    if User.objects.filter(email__iexact=address).exists():
        return Answer.STAFF
    others = Email.objects.filter(address=address).exclude(customer_id=customer_id)
    return Answer.SEVERAL if others.exists() else Answer.OPEN


@transaction.atomic
def change_address(*, access: PortalAccess, address: str, at: datetime) -> User | None:
    """The account to sign in with from now on, after the new address's code came back; None when it cannot be.

    The old address opens nothing any more, also when an import brings it back, and all sessions of the customer end,
    whatever address they began with.
    """
    people_lock.writing()
    access = PortalAccess.objects.select_related("user").get(pk=access.pk)
    if can_become(address=address, customer_id=access.customer_id) is not Answer.OPEN:
        return None
    made = _access(customer_id=access.customer_id, address=address, at=at)
    if made.customer_id != access.customer_id:
        return None
    for user in User.objects.filter(portal__customer_id=access.customer_id):
        staff.end_sessions(user=user)
    User.objects.filter(pk=access.user_id).update(is_active=False)
    User.objects.filter(pk=made.user_id).update(is_active=True, language=access.user.language)
    PortalAccess.objects.filter(pk=made.pk).update(verified_at=at)
    Email.objects.get_or_create(customer_id=access.customer_id, address=address)
    Email.objects.filter(customer_id=access.customer_id, address=access.address).delete()
    search.refresh(customer_ids=[access.customer_id])
    return User.objects.get(pk=made.user_id)


@transaction.atomic
def enter(*, address: str, at: datetime) -> User | None:
    """The account of somebody whose code came back, made the first time; None when the address opens nothing."""
    people_lock.writing()
    found = find(address=address)
    if found.answer is not Answer.OPEN or found.customer_id is None:
        return None
    access = _access(customer_id=found.customer_id, address=address.lower(), at=at)
    if access.customer_id != found.customer_id:
        return None
    PortalAccess.objects.filter(pk=access.pk, verified_at=None).update(verified_at=at)
    return access.user


def _access(*, customer_id: int, address: str, at: datetime) -> PortalAccess:
    """The address's access, made if there is none. Two at once meet at the unique address: both get the one row."""
    try:
        with transaction.atomic():
            user = User(email=address, role=CUSTOMER)
            user.set_unusable_password()
            user.save(force_insert=True)
            return PortalAccess.objects.create(user=user, customer_id=customer_id, address=address, made_at=at)
    except IntegrityError:
        return PortalAccess.objects.select_related("user").get(address=address)


def invite(*, customer_id: int, address: str, at: datetime) -> PortalAccess:
    """Let staff say that an address is this customer's; its first code proves it.

    Raises PortalError for an address that is another customer's way in, or somebody's of the staff, and for one that
    is not written at the customer.
    """
    people_lock.writing()
    address = address.lower()
    customer = Customer.objects.filter(pk=customer_id, archived_at=None, emails__address=address).first()
    if customer is None:
        raise PortalError(_("Write the address down at the customer first."))
    if User.objects.staff().filter(email__iexact=address).exists():
        raise PortalError(_("%s is the address of somebody of the staff. Customers need one of their own.") % address)
    access = _access(customer_id=customer_id, address=address, at=at)
    if access.customer_id != customer_id:
        raise PortalError(_("%s is another customer's way in already.") % address)
    User.objects.filter(pk=access.user_id, is_active=False).update(is_active=True)
    return access


def close(*, customer_id: int) -> int:
    """End every way in of a customer, and their sessions; how many there were. An invitation opens one again."""
    users = list(User.objects.filter(portal__customer_id=customer_id, is_active=True))
    for user in users:
        staff.end_sessions(user=user)
    User.objects.filter(pk__in=[user.pk for user in users]).update(is_active=False)
    return len(users)


@transaction.atomic
def change_profile(
    *, customer_id: int, name: str, phone: str, locale: str, time_zone: str, birthday: str, place: Place
) -> None:
    """Write what customers change of themselves. The phone takes the place of the first one; "" takes it away.

    A birthday is said once: later it is the shop's to change, because gifts hang on it.
    """
    customer_id = people_lock.writing_about(customer_id)
    customer = Customer.objects.select_for_update(no_key=True).get(pk=customer_id)
    customer.name, customer.locale, customer.time_zone = name, locale, time_zone
    customer.birthday = customer.birthday or birthday
    for part, text in place._asdict().items():
        setattr(customer, part, text)
    customer.save(update_fields=["name", "locale", "time_zone", "birthday", *Place._fields])
    first = Phone.objects.filter(customer_id=customer_id).order_by("pk").first()
    if phone != (first.number if first else ""):
        if first:
            first.delete()
        if phone:
            Phone.objects.get_or_create(customer_id=customer_id, number=phone)
    search.refresh(customer_ids=[customer_id])
