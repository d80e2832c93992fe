"""Who lives at a customer's postal address. Households are real: it is a reason to look, and never one to refuse."""

from typing import Final

from django.db.models import QuerySet

from customers.folding import postcode_digits
from customers.models import Customer
from customers.places import Place
from loyalty import sameness

MOST_FRIENDS: Final = 1_000  # of one advocate, those who came last
SHOWN: Final = 10
MOST_NEIGHBOURS: Final = 5_000  # customers with the digits of one postcode


def is_shared(one: int, other: int) -> bool:
    """Whether two customers live in one place, as far as their addresses can tell."""
    return sameness.are_one_place(_place(one), _place(other))


def friends_there(*, advocate_id: int, friend_id: int) -> list[int]:
    """Who else came by the advocate's code and lives where the friend does."""
    friends = Customer.objects.filter(referred_by__advocate=advocate_id).exclude(pk=friend_id)
    return _at(_place(friend_id), friends.order_by("-referred_by__pk")[:MOST_FRIENDS])


def neighbours(customer_id: int) -> list[int]:
    """The others at the customer's address; none without a postcode, by which they are found."""
    place = _place(customer_id)
    digits = sameness.digits(place.postcode)
    if not digits or not place.street:
        return []
    near = Customer.objects.exclude(street="").exclude(postcode="").alias(digits=postcode_digits())
    return _at(place, near.filter(digits=digits).exclude(pk=customer_id).order_by("pk")[:MOST_NEIGHBOURS])


def others(*, advocate_id: int, friend_id: int) -> list[Customer]:
    """The first few at the friend's address besides the two, for a person to look at."""
    there = {*neighbours(friend_id), *friends_there(advocate_id=advocate_id, friend_id=friend_id)} - {advocate_id}
    return list(Customer.objects.filter(pk__in=there).order_by("pk")[:SHOWN])


def _place(customer_id: int) -> Place:
    return Place(*Customer.objects.values_list(*Place._fields).get(pk=customer_id))


def _at(place: Place, people: QuerySet[Customer]) -> list[int]:
    if not place.street:
        return []
    found = people.values_list("pk", *Place._fields)
    return [pk for pk, *told in found if sameness.are_one_place(place, Place(*told))]
