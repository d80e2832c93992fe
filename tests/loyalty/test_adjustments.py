"""Points by hand: with a reason, at once up to a limit, by two people above it."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction

from core.models import User
from loyalty.models import Adjustment, Programme
from loyalty.problems import InsufficientPoints, KeyReused, NotPoints, PointsOverflow
from loyalty.selectors import points as selector
from loyalty.services import adjustments, points
from loyalty.services.adjustments import AlreadyDecided, NotYourOwn, ReasonMissing
from tests.factories import make_customer
from tests.loyalty.accounts import DAY, NOW, disagreements, lifetime, totals

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def everything_agrees(db):
    yield
    assert disagreements() == []


@pytest.fixture
def customer():
    customer = make_customer()
    points.earn(customer_id=customer.pk, points=10, key="earn", at=NOW)
    return customer


@pytest.fixture
def agent():
    return User.objects.create_user("agent@example.com", role="agent")


@pytest.fixture
def manager():
    return User.objects.create_user("manager@example.com", role="manager")


def adjust(customer, amount, by=None, key="adjust:1", reason="The parcel came late", **terms):
    by = None if by is None else by.pk
    return adjustments.adjust(customer_id=customer.pk, points=amount, key=key, at=NOW, reason=reason, by=by, **terms)


def test_up_to_the_limit_it_is_done_at_once(customer, agent):
    done = adjust(customer, 5_000, agent)
    assert done.state == Adjustment.State.DONE
    assert (done.posting.kind, done.posting.points, done.posting.by_id) == ("adjust", 5_000, agent.pk)
    assert totals(customer) == (5_010, 0, 0)
    assert lifetime(customer) == (5_010, 0, 0, 0)


def test_points_are_taken_the_same_way(customer, agent):
    adjust(customer, -4, agent)
    assert totals(customer) == (6, 0, 0)
    assert lifetime(customer) == (10, 0, 0, 4)


def test_no_more_than_there_is_can_be_taken(customer, agent):
    with pytest.raises(InsufficientPoints):
        adjust(customer, -11, agent)
    assert not Adjustment.objects.exists()
    assert totals(customer) == (10, 0, 0)


@pytest.mark.parametrize("amount", [5_001, -5_001])
def test_above_the_limit_it_waits_for_a_second_person(customer, agent, amount):
    waiting = adjust(customer, amount, agent)
    assert (waiting.state, waiting.posting) == (Adjustment.State.WAITING, None)
    assert totals(customer) == (10, 0, 0)


def test_a_second_person_approves(customer, agent, manager):
    waiting = adjust(customer, 5_001, agent)
    done = adjustments.approve(adjustment_id=waiting.pk, by=manager.pk, at=NOW + DAY)
    done.refresh_from_db()
    assert (done.state, done.decided_by, done.decided_at) == (Adjustment.State.DONE, manager, NOW + DAY)
    assert done.posting.at == NOW + DAY
    assert totals(customer) == (5_011, 0, 0)


def refuse(*, adjustment_id, by, at):
    return adjustments.refuse(adjustment_id=adjustment_id, by=by, at=at, answer="Too much for a late parcel")


def test_or_refuses(customer, agent, manager):
    waiting = adjust(customer, 5_001, agent)
    refuse(adjustment_id=waiting.pk, by=manager.pk, at=NOW)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.decided_by, waiting.posting) == (Adjustment.State.REFUSED, manager, None)
    assert waiting.answer == "Too much for a late parcel"
    assert totals(customer) == (10, 0, 0)


def test_who_refuses_says_why(customer, agent, manager):
    waiting = adjust(customer, 5_001, agent)
    with pytest.raises(ReasonMissing):
        adjustments.refuse(adjustment_id=waiting.pk, by=manager.pk, at=NOW, answer=" ")
    waiting.refresh_from_db()
    assert waiting.state == Adjustment.State.WAITING


@pytest.mark.parametrize("decide", [adjustments.approve, refuse])
def test_nobody_decides_on_their_own(customer, agent, decide):
    waiting = adjust(customer, 5_001, agent)
    with pytest.raises(NotYourOwn):
        decide(adjustment_id=waiting.pk, by=agent.pk, at=NOW)
    assert totals(customer) == (10, 0, 0)


def test_not_even_past_the_service(customer, agent):
    waiting = adjust(customer, 5_001, agent)
    with pytest.raises(IntegrityError, match="nobody_approves_their_own_adjustment"), transaction.atomic():
        Adjustment.objects.filter(pk=waiting.pk).update(decided_by=agent)


@pytest.mark.parametrize("decide", [adjustments.approve, refuse])
def test_what_is_decided_is_decided(customer, agent, manager, decide):
    waiting = adjust(customer, 5_001, agent)
    adjustments.approve(adjustment_id=waiting.pk, by=manager.pk, at=NOW)
    with pytest.raises(AlreadyDecided):
        decide(adjustment_id=waiting.pk, by=manager.pk, at=NOW)
    assert totals(customer) == (5_011, 0, 0)


def test_what_cannot_be_taken_any_more_goes_on_waiting(customer, agent, manager):
    waiting = adjust(customer, -5_001, agent)
    with pytest.raises(InsufficientPoints):
        adjustments.approve(adjustment_id=waiting.pk, by=manager.pk, at=NOW)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.decided_by) == (Adjustment.State.WAITING, None)


def test_the_limit_is_the_programme_s(customer, agent):
    Programme.objects.update_or_create(id=1, defaults={"adjust_limit": 50})
    assert adjust(customer, 50, agent).state == Adjustment.State.DONE
    assert adjust(customer, 51, agent, key="adjust:2").state == Adjustment.State.WAITING


def test_a_program_s_waits_too_and_anybody_may_decide(customer, agent):
    waiting = adjust(customer, 5_001)
    adjustments.approve(adjustment_id=waiting.pk, by=agent.pk, at=NOW)
    assert totals(customer) == (5_011, 0, 0)


def test_the_same_key_again_changes_nothing(customer, agent):
    first = adjust(customer, 20, agent)
    assert adjust(customer, 20, agent) == first
    assert totals(customer) == (30, 0, 0)
    with pytest.raises(KeyReused):
        adjust(customer, 21, agent)


@pytest.mark.parametrize("reason", ["", " \n", "x" * 301])
def test_a_reason_is_needed(customer, agent, reason):
    with pytest.raises(ReasonMissing):
        adjust(customer, 20, agent, reason=reason)


@pytest.mark.parametrize(
    ("amount", "problem", "said"), [(0, NotPoints, "above zero gives"), (10**12 + 1, PointsOverflow, "at most")]
)
def test_points_that_are_none_or_too_many(customer, agent, amount, problem, said):
    with pytest.raises(problem, match=said):
        adjust(customer, amount, agent)
    assert not Adjustment.objects.exists()


def test_given_points_expire_as_earned_ones_do(customer, agent):
    """Without another word: a year, up to the end of the month."""
    given = adjust(customer, 20, agent)
    assert given.posting.lots.get().expires_at == datetime(2027, 4, 1, tzinfo=UTC)


def test_adjusted_points_can_expire(customer, agent):
    adjust(customer, 20, agent, expires_at=NOW + DAY)
    points.settle(customer_id=customer.pk, at=NOW + DAY)
    assert totals(customer) == (10, 0, 0)


@pytest.mark.parametrize("amount", [20, -5])
def test_the_reason_is_not_in_the_posting_that_nobody_can_erase(customer, agent, amount):
    adjust(customer, amount, agent, reason="Ada Lovelace called")
    row = selector.statement(customer_id=customer.pk)[0]
    assert (row.reason, row.adjustment.reason) == ("", "Ada Lovelace called")
