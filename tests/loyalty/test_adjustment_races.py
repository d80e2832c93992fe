"""Two people decide on one adjustment at once: one of them does, and without the lock the test would notice."""

import time

import pytest

from core.models import User
from loyalty.models import Adjustment
from loyalty.services import adjustments
from loyalty.services.adjustments import AlreadyDecided
from tests.factories import make_customer
from tests.loyalty.accounts import NOW, disagreements, totals
from tests.loyalty.test_ledger_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
DECIDERS = 4


@pytest.fixture
def decisions(transactional_db, monkeypatch):
    """Four people who each decide on the same 6,000 points, all having looked before one has written."""
    people = [User.objects.create_user(f"m{number}@example.com", role="manager") for number in range(DECIDERS + 1)]
    customer = make_customer()
    adjustments.adjust(
        customer_id=customer.pk, points=1, key="one", at=NOW, reason="An account to begin with", by=people[0].pk
    )
    asked = adjustments.adjust(
        customer_id=customer.pk, points=6_000, key="many", at=NOW, reason="A broken machine", by=people[0].pk
    )
    look = adjustments._locked

    def look_slowly(adjustment_id):
        found = look(adjustment_id)
        time.sleep(0.1)
        return found

    monkeypatch.setattr(adjustments, "_locked", look_slowly)

    def decide(person, says_yes):
        facts = {"adjustment_id": asked.pk, "by": person.pk, "at": NOW, "answer": "As I see it"}
        return lambda: (adjustments.approve if says_yes else adjustments.refuse)(**facts)

    return customer, [decide(person, number % 2) for number, person in enumerate(people[1:])]


def test_one_decides_and_the_others_are_told(decisions):
    customer, actions = decisions
    answers = at_once(actions)
    assert sum(isinstance(answer, AlreadyDecided) for answer in answers) == DECIDERS - 1
    one = Adjustment.objects.get(key="many")
    assert totals(customer) == ((6_001 if one.state == "done" else 1), 0, 0)
    assert disagreements() == []


def test_without_the_lock_several_would(decisions, monkeypatch):
    """The control. The ledger's key and the table's constraints still keep the points right."""
    customer, actions = decisions
    rows = type(Adjustment.objects.all())
    monkeypatch.setattr(rows, "select_for_update", lambda self, **options: self)
    answers = at_once(actions)
    assert sum(isinstance(answer, AlreadyDecided) for answer in answers) < DECIDERS - 1
    assert totals(customer)[0] in (1, 6_001)
    assert disagreements() == []
