"""Points put aside for a while: redeemed, released, or back by themselves."""

import pytest

from loyalty.models import Hold, Posting
from loyalty.problems import BadPeriod, HoldEnded, InsufficientPoints, KeyReused
from loyalty.selectors import points as selector
from loyalty.services import points, settling
from tests.factories import make_customer
from tests.loyalty.accounts import DAY, HOUR, NOW, account, disagreements, left, lifetime, totals

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def everything_agrees(db):
    yield
    assert disagreements() == []


@pytest.fixture
def customer():
    """Who has 30 points that expire in two days, and 70 that do not."""
    customer = make_customer()
    points.earn(customer_id=customer.pk, points=30, key="soon", at=NOW, expires_at=NOW + 2 * DAY)
    points.earn(customer_id=customer.pk, points=70, key="never", at=NOW)
    return customer


def hold(customer, amount, key="hold", until=NOW + HOUR):
    return points.hold(customer_id=customer.pk, points=amount, key=key, at=NOW, until=until)


def test_held_and_redeemed(customer):
    held = hold(customer, 50)
    assert totals(customer) == (50, 0, 50)
    points.commit(hold_id=held.pk, at=NOW, key="commit")
    assert totals(customer) == (50, 0, 0)
    assert lifetime(customer) == (100, 50, 0, 0)
    held.refresh_from_db()
    assert (held.state, held.closed_by.kind) == (Hold.State.COMMITTED, "commit")


def test_held_and_released(customer):
    held = hold(customer, 50)
    points.release(hold_id=held.pk, at=NOW, key="release")
    assert totals(customer) == (100, 0, 0)
    assert lifetime(customer) == (100, 0, 0, 0)
    assert left(customer) == [30, 70]


def test_points_on_hold_are_not_spent_twice(customer):
    hold(customer, 50)
    with pytest.raises(InsufficientPoints):
        hold(customer, 51, key="another")
    with pytest.raises(InsufficientPoints):
        points.redeem(customer_id=customer.pk, points=51, key="redeem", at=NOW)


def test_a_hold_that_runs_out_releases_itself_at_the_next_write(customer):
    held = hold(customer, 50)
    points.redeem(customer_id=customer.pk, points=100, key="all", at=NOW + HOUR)
    held.refresh_from_db()
    assert (held.state, held.closed_by.at) == (Hold.State.RELEASED, NOW + HOUR)
    assert totals(customer) == (0, 0, 0)


def test_it_counts_as_released_when_read(customer):
    hold(customer, 50)
    seen = selector.standing(customer_id=customer.pk, at=NOW + HOUR)
    assert (seen.balance, seen.held) == (100, 0)
    assert [lot.left for lot in seen.lots] == [30, 70]


def test_settling_everybody_releases_what_ran_out(customer):
    hold(customer, 20)
    hold(customer, 20, key="longer", until=NOW + DAY)
    settling.settle_all(at=NOW + HOUR)
    assert totals(customer) == (80, 0, 20)


def test_points_that_expired_on_hold_are_gone_when_they_are_released(customer):
    held = hold(customer, 50, until=NOW + 5 * DAY)
    points.release(hold_id=held.pk, at=NOW + 3 * DAY, key="release")
    assert totals(customer) == (70, 0, 0)
    assert lifetime(customer) == (100, 0, 30, 0)
    assert left(customer) == [0, 70]


def test_a_lot_can_expire_twice(customer):
    """Ten of its points at its time, twenty when the hold that had them ran out."""
    hold(customer, 20, until=NOW + 5 * DAY)
    points.settle(customer_id=customer.pk, at=NOW + 2 * DAY)
    assert totals(customer) == (70, 0, 20)
    points.settle(customer_id=customer.pk, at=NOW + 5 * DAY)
    assert totals(customer) == (70, 0, 0)
    assert lifetime(customer)[2] == 30
    gone = Posting.objects.filter(kind="expire").order_by("pk").values_list("points", "at")
    assert list(gone) == [(-10, NOW + 2 * DAY), (-20, NOW + 2 * DAY)]


def test_points_that_expired_on_hold_can_still_be_redeemed(customer):
    held = hold(customer, 50, until=NOW + 5 * DAY)
    points.commit(hold_id=held.pk, at=NOW + 3 * DAY, key="commit")
    assert lifetime(customer) == (100, 50, 0, 0)


@pytest.mark.parametrize("first", [points.commit, points.release])
@pytest.mark.parametrize("second", [points.commit, points.release])
def test_what_is_over_is_over(customer, first, second):
    held = hold(customer, 50)
    done = first(hold_id=held.pk, at=NOW, key="first")
    before = totals(customer), lifetime(customer)
    with pytest.raises(HoldEnded):
        second(hold_id=held.pk, at=NOW, key="second")
    assert first(hold_id=held.pk, at=NOW, key="first").pk == done.pk
    assert (totals(customer), lifetime(customer)) == before


def test_what_ran_out_cannot_be_redeemed(customer):
    held = hold(customer, 50)
    with pytest.raises(HoldEnded):
        points.commit(hold_id=held.pk, at=NOW + HOUR, key="commit")
    assert totals(customer) == (100, 0, 0)


def test_a_hold_that_does_not_exist(db):
    with pytest.raises(HoldEnded):
        points.commit(hold_id=10**9, at=NOW, key="commit")


def test_the_same_key_is_the_same_hold(customer):
    held = hold(customer, 50)
    assert hold(customer, 50).pk == held.pk
    with pytest.raises(KeyReused):
        hold(customer, 49)
    assert totals(customer) == (50, 0, 50)


def test_one_key_for_two_holds_is_refused(customer):
    one, other = hold(customer, 10, key="one"), hold(customer, 10, key="other")
    points.commit(hold_id=one.pk, at=NOW, key="commit")
    with pytest.raises(KeyReused):
        points.commit(hold_id=other.pk, at=NOW, key="commit")


def test_a_hold_ends_after_it_begins(customer):
    with pytest.raises(BadPeriod):
        hold(customer, 10, until=NOW)
    assert account(customer).held == 0


def test_what_a_hold_redeemed_can_be_given_back(customer):
    held = hold(customer, 50)
    committed = points.commit(hold_id=held.pk, at=NOW, key="commit")
    points.give_back(posting_id=committed.pk, points=50, key="back", at=NOW)
    assert totals(customer) == (100, 0, 0)
    assert lifetime(customer) == (100, 0, 0, 0)
    assert left(customer) == [30, 70]
