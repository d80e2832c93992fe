"""Two customers who look alike are two people: said, taken back, and carried along when one of them is merged."""

from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import Q

from core.models import User
from customers.models import Apart, Customer
from customers.services import people_lock

MOVED: Final = """
UPDATE customers_apart a SET one_id = least(pair.kept, %(into)s), other_id = greatest(pair.kept, %(into)s)
FROM (
    SELECT id, CASE WHEN one_id = %(other)s THEN other_id ELSE one_id END AS kept FROM customers_apart
    WHERE %(other)s IN (one_id, other_id) AND ended_at IS NULL
) pair
WHERE a.id = pair.id AND NOT EXISTS (
    SELECT FROM customers_apart b WHERE b.ended_at IS NULL
        AND b.one_id = least(pair.kept, %(into)s) AND b.other_id = greatest(pair.kept, %(into)s)
)"""


class SamePerson(Exception):
    """They are one customer, or somebody has just merged them."""


@transaction.atomic
def say(*, one: int, other: int, by: User | None, at: datetime) -> Apart:
    """They are two people: nobody is to suggest again that they are one. Twice is once.

    Raises SamePerson, Customer.DoesNotExist.
    """
    low, high = _pair(one, other)
    if Customer.objects.filter(pk__in=[low, high]).count() < 2:
        raise Customer.DoesNotExist
    return Apart.objects.get_or_create(one_id=low, other_id=high, ended_at=None, defaults={"at": at, "by": by})[0]


@transaction.atomic
def take_back(*, one: int, other: int, by: User | None, at: datetime) -> Apart | None:
    """They may be one person after all. None where nobody had said otherwise. Raises SamePerson."""
    low, high = _pair(one, other)
    said = Apart.objects.select_for_update().filter(one=low, other=high, ended_at=None).first()
    if said is not None:
        said.ended_at, said.ended_by = at, by
        said.save(update_fields=["ended_at", "ended_by"])
    return said


def _pair(one: int, other: int) -> tuple[int, int]:
    """Who stands for the two now, the lower number first."""
    stands = people_lock.writing_about_all([one, other])
    if stands[one] == stands[other]:
        raise SamePerson
    low, high = sorted((stands[one], stands[other]))
    return low, high


def join(*, into: int, other: int, by: int | None, at: datetime) -> None:
    """What was said of `other` holds for `into`, who is the same person; that the two are not is over."""
    of_the_two = Q(one=min(into, other), other=max(into, other))
    Apart.objects.filter(of_the_two, ended_at=None).update(ended_at=at, ended_by=by)
    with connection.cursor() as cursor:
        cursor.execute(MOVED, {"into": into, "other": other})
    # What was said of `into` as well counts once.
    Apart.objects.filter(Q(one=other) | Q(other=other), ended_at=None).update(ended_at=at, ended_by=by)
