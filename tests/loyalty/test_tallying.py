"""The sums by day are those of the postings: whoever commits late, whatever is taken away, in whatever zone."""

import time

import pytest
from django.db.models import Sum

from core import business, feed
from loyalty.models import Account, Hold, LotsLeft, PointDay, Posting, Tally
from loyalty.selectors import liability
from loyalty.services import adjustments, merging, points, removing, tallying
from tests.factories import make_business, make_customer
from tests.loyalty.accounts import DAY, NOW, account, disagreements

pytestmark = pytest.mark.django_db(transaction=True)
EVERYTHING = (NOW - 400 * DAY).date(), (NOW + 400 * DAY).date()


def turn():
    """What one sweep does: it reads what an earlier one marked, and marks what there is."""
    return tallying.catch_up(business=business.current(), at=NOW)


def read():
    """Turns until all is read. A transaction of the server's own may hide ours for a while."""
    done, deadline = turn(), time.monotonic() + feed.WAIT_SECONDS
    while Tally.objects.get().read_id < Posting.objects.latest("pk").pk and time.monotonic() < deadline:
        time.sleep(0.02)
        done += turn()
    return done


def story():
    """Two customers: 100 + 50 earned, 40 redeemed of which 10 came back, a debt, a hold, an end, a gift, a merge."""
    ada, bob = make_customer(), make_customer()
    points.earn(customer_id=ada.pk, points=100, key="a", at=NOW - 9 * DAY, expires_at=NOW)
    points.earn(customer_id=ada.pk, points=50, key="waits", at=NOW - 8 * DAY, active_at=NOW - 2 * DAY)
    spent = points.redeem(customer_id=ada.pk, points=40, key="spent", at=NOW - 7 * DAY)
    points.give_back(posting_id=spent.pk, points=10, key="back", at=NOW - 6 * DAY)
    earned = points.earn(customer_id=bob.pk, points=30, key="b", at=NOW - 5 * DAY)
    points.redeem(customer_id=bob.pk, points=30, key="all", at=NOW - 4 * DAY)
    points.reverse(posting_id=earned.pk, points=30, key="owes", at=NOW - 3 * DAY, policy="allow_negative")
    hold = points.hold(customer_id=ada.pk, points=20, key="hold", at=NOW - DAY, until=NOW + DAY)
    points.commit(hold_id=hold.pk, at=NOW - DAY, key="commit")
    points.hold(customer_id=ada.pk, points=5, key="hold 2", at=NOW - DAY, until=NOW + DAY)
    adjustments.adjust(customer_id=bob.pk, points=7, key="gift", at=NOW - DAY, reason="Sorry")
    points.settle(customer_id=ada.pk, at=NOW)
    return ada, bob


# 100 + 50 + 30 earned, 40 + 30 + 20 redeemed, 10 given back, 30 taken back, 7 given by hand; of the first lot
# 100 − 40 + 10 − 20 − 5 = 45 expired. Ada has 50 and 5 on hold, Bob owes 23.
STORY = {"earned": 180, "redeemed": -90, "returned": 10, "reversed": -30, "expired": -45, "adjusted": 7}


def closing(at=NOW):
    now = liability.book(business=business.current(), at=at)
    return liability.course(now, first=EVERYTHING[0], last=EVERYTHING[1], unit="month").closing


def of_accounts():
    """(balance, pending, held, owed) of all accounts."""
    rows = Account.objects.values_list("balance", "pending", "held")
    balance, pending, held = map(sum, zip(*rows, strict=True))
    return balance, pending, held, sum(-min(row[0], 0) for row in rows)


def told(totals):
    return totals.balance, totals.pending, totals.held, totals.owed


def test_a_story_with_totals_before_and_after_it_is_read():
    make_business(time_zone="Europe/Berlin")
    story()
    before = closing()
    assert before.flows == STORY
    assert (before.active, before.pending, before.held, before.owed) == (50, 0, 5, 23)
    assert (before.outstanding, before.net) == (55, 32)
    assert told(before) == of_accounts()
    assert read() == Posting.objects.latest("pk").pk
    assert PointDay.objects.aggregate(all=Sum("postings"))["all"] == Posting.objects.count()
    assert closing() == before
    assert disagreements() == []


def test_what_comes_later_is_added_and_a_merge_changes_nothing_but_the_debt():
    ada, bob = story()
    read()
    points.release(hold_id=Hold.objects.get(state="open").pk, at=NOW, key="release")
    merging.merge(into=ada.pk, other=bob.pk, key="merge", at=NOW)
    newer = closing()
    assert newer.flows == STORY | {"expired": -50}
    assert told(newer) == of_accounts() == (32 - 5, 0, 0, 0)  # what came back from the hold had expired
    read()
    assert closing() == newer
    assert disagreements() == []


def test_nobody_who_commits_late_is_passed_by(other_connection):
    """A posting with a low number that appears after higher ones. Read without waiting it would be lost."""
    slow, quick = make_customer(), make_customer()
    earn = "SELECT loyalty_earn(%s, 'earn', 7, 'late', %s, %s, NULL, '', NULL, NULL)"
    with other_connection() as other:
        other.execute("BEGIN")
        other.execute(earn, [slow.pk, NOW, NOW])
        points.earn(customer_id=quick.pk, points=5, key="quick", at=NOW)
        assert [turn(), turn(), turn()] == [0, 0, 0]
        assert closing().flows["earned"] == 5
        other.execute("COMMIT")
    late, early = Posting.objects.get(key="late"), Posting.objects.get(key="quick")
    assert late.pk < early.pk  # or this would show nothing
    assert read() == early.pk
    assert PointDay.objects.get().points == 12
    assert disagreements() == []


def test_a_sum_that_is_wrong_is_named():
    story()
    read()
    PointDay.objects.filter(kind="adjust").update(points=8)
    (wrong,) = disagreements()
    assert "adjust: 1 postings with 8, 0, 0 points; it should be 1 with 7, 0, 0" in wrong


def test_the_points_of_a_demo_go_out_of_the_sums():
    make_business(is_demo=True)
    ada, _bob = story()
    read()
    removing.remove_demo(customer_ids=[ada.pk])
    assert not PointDay.objects.exists()
    assert told(closing()) == of_accounts() == (-23, 0, 0, 23)
    read()
    assert told(closing()) == of_accounts()
    assert disagreements() == []


def test_a_backup_from_another_server_is_read_on():
    """Its mark names a transaction that this server has not reached."""
    story()
    turn()
    Tally.objects.update(marked_xid=2**62)
    assert turn() == Posting.objects.latest("pk").pk


def test_in_another_zone_all_days_are_others():
    make_business(time_zone="UTC")
    points.earn(customer_id=make_customer().pk, points=5, key="late", at=NOW.replace(hour=23))
    read()
    assert PointDay.objects.get().day == NOW.date()
    make_business(time_zone="Asia/Tokyo")
    turn()  # begins again
    read()
    assert PointDay.objects.get().day == (NOW + DAY).date()


def test_many_are_read_in_pieces(monkeypatch):
    monkeypatch.setattr(tallying, "AT_ONCE", 2)
    story()
    read()
    assert PointDay.objects.aggregate(all=Sum("postings"))["all"] == Posting.objects.count()
    assert disagreements() == []


def test_what_is_left_of_lots_is_looked_at_with_the_first_sums():
    ada, _bob = story()
    turn()
    assert LotsLeft.objects.aggregate(all=Sum("points"))["all"] == account(ada).balance
    assert Tally.objects.get().looked_at == NOW
