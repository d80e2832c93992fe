"""What the shop calls its points, wherever a sentence of Python names them."""

import pytest
from django.db import DataError, connection, transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation

from loyalty import naming
from loyalty.problems import InsufficientPoints, NotPoints
from tests.api.callers import caller
from tests.factories import make_business
from tests.loyalty.rewards import make_member, make_programme

pytestmark = pytest.mark.django_db


def test_one_and_many_inside_and_at_the_beginning():
    make_programme(point_name="star", points_name="stars")
    assert naming.said("%(Points)s go, and so do %(other)s %(points)s", other=3) == "Stars go, and so do 3 stars"
    assert str(InsufficientPoints(balance=1_234)) == "There are 1,234 stars to spend: not enough."
    assert str(InsufficientPoints(balance=1)) == "There is 1 star to spend: not enough."
    assert str(InsufficientPoints(balance=-1)) == "The balance is -1 star: nothing can be spent."


def test_the_usual_name_is_in_the_readers_language():
    programme = make_programme()
    with translation.override("de"):
        assert naming.said("%(Points)s") == "Punkte"
        assert ">Punkte</a>" in render_to_string("me/_history_tabs.html", {"programme": programme})


def refuse_in_a_broken_transaction():
    with transaction.atomic(), connection.cursor() as cursor:
        try:
            cursor.execute("SELECT 1 / 0")
        except DataError:
            raise NotPoints from None


def test_a_refusal_is_read_after_its_transaction():
    """The name would be asked for in vain while the transaction is broken."""
    make_programme(points_name="stars")
    with pytest.raises(NotPoints) as refused:
        refuse_in_a_broken_transaction()
    assert str(refused.value) == "Give a whole number of stars above zero."


def test_programs_read_it_too():
    make_business()
    make_programme(points_name="stars")
    api, customer = caller("loyalty"), make_member(99, at=timezone.now())
    answer = api.post(f"/api/v1/points/{customer.pk}/redeem/", {"points": 100}, Idempotency_Key="k")
    assert answer.json()["errors"][0]["detail"] == "There are 99 stars to spend: not enough."
