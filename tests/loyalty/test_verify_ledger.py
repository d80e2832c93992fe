"""verify_ledger: quiet when all agrees, and for each thing that can be wrong it names the row."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from loyalty.models import Account, Lot, Posting
from loyalty.services import adjustments, merging, points, verifying
from tests.factories import make_customer
from tests.loyalty.accounts import DAY, NOW, disagreements

pytestmark = pytest.mark.django_db


def verify():
    """(exit code, what it said)"""
    said = StringIO()
    try:
        call_command("verify_ledger", stdout=said)
    except SystemExit as end:
        return end.code, said.getvalue()
    return 0, said.getvalue()


@pytest.fixture
def shop():
    """A ledger with something of everything."""
    ada, bob, twin = (make_customer() for _ in range(3))
    earned = points.earn(customer_id=ada.pk, points=100, key="earn", at=NOW, expires_at=NOW + 9 * DAY)
    points.earn(customer_id=ada.pk, points=50, key="pending", at=NOW, active_at=NOW + DAY)
    spent = points.redeem(customer_id=ada.pk, points=30, key="redeem", at=NOW)
    points.give_back(posting_id=spent.pk, points=10, key="back", at=NOW)
    points.reverse(posting_id=earned.pk, points=5, key="reverse", at=NOW, policy="within_balance")
    points.hold(customer_id=ada.pk, points=20, key="hold", at=NOW, until=NOW + DAY)
    done = points.hold(customer_id=ada.pk, points=20, key="hold 2", at=NOW, until=NOW + DAY)
    points.commit(hold_id=done.pk, at=NOW, key="commit")
    debt = points.earn(customer_id=bob.pk, points=10, key="bob", at=NOW)
    points.redeem(customer_id=bob.pk, points=10, key="bob spends", at=NOW)
    points.reverse(posting_id=debt.pk, points=10, key="owes", at=NOW, policy="allow_negative")
    points.earn(customer_id=twin.pk, points=4, key="twin", at=NOW)
    merging.merge(into=bob.pk, other=twin.pk, key="merge", at=NOW)
    adjustments.adjust(customer_id=bob.pk, points=3, key="adjust", at=NOW, reason="Sorry")
    return ada


def test_it_is_quiet_when_all_agrees(shop):
    code, said = verify()
    assert code == 0
    assert "WRONG" not in said
    assert said.count("ok   ") == len(verifying.checks())


def test_nothing_agrees_with_nothing(db):
    assert verify()[0] == 0


# What goes wrong, with what it is about in what is said. Each is one statement past the ledger.
WRONG = {
    "balance": ("UPDATE loyalty_account SET balance = balance + 1 WHERE id = {account}", "account {account} of"),
    "pending": ("UPDATE loyalty_account SET pending = pending + 1 WHERE id = {account}", "account {account} of"),
    "held": ("UPDATE loyalty_account SET held = held + 1 WHERE id = {account}", "account {account} of"),
    "earned": ("UPDATE loyalty_account SET earned = earned + 1 WHERE id = {account}", "earned 151"),
    "spent": ("UPDATE loyalty_account SET spent = spent + 1 WHERE id = {account}", "spent 41"),
    "expired": ("UPDATE loyalty_account SET expired = expired + 1 WHERE id = {account}", "expired 1"),
    "reversed": ("UPDATE loyalty_account SET reversed = reversed + 1 WHERE id = {account}", "reversed 6"),
    "a lot": ("UPDATE loyalty_lot SET points_left = points_left - 1 WHERE id = {lot}", "lot {lot} of account"),
    "a lot's state": ("UPDATE loyalty_lot SET state = 'pending' WHERE id = {lot}", "its lots and holds hold 0, 85, 20"),
    "a lost posting": (
        (
            "DELETE FROM loyalty_allocation USING loyalty_posting p WHERE p.id = posting_id AND p.kind = 'reverse';"
            "DELETE FROM loyalty_posting WHERE kind = 'reverse'"
        ),
        "its postings make",
    ),
    "a changed posting": ("UPDATE loyalty_posting SET points = points - 1 WHERE id = {posting}", "posting {posting} ("),
    "a lost allocation": ("DELETE FROM loyalty_allocation WHERE posting_id = {posting}", "posting {posting} ("),
    "a hold": ("UPDATE loyalty_hold SET points = points + 1 WHERE state = 'open'", "its posting held 20"),
    "a hold's end": ("UPDATE loyalty_hold SET state = 'released' WHERE state = 'committed'", "(commit) ended it"),
    "too much back": ("UPDATE loyalty_posting SET asked = 4 WHERE key = 'redeem'", "of 4 points 10 went back"),
    "the clock": ("UPDATE loyalty_account SET due_at = NULL WHERE id = {account}", "due never, but"),
    "a merged account": (
        (
            "UPDATE loyalty_lot SET account_id = (SELECT id FROM loyalty_account WHERE merged_into_id IS NOT NULL)"
            " WHERE id = {lot}"
        ),
        "lot {lot} belongs to account",
    ),
    "an adjustment": ("UPDATE loyalty_adjustment SET points = 4", "4 points, but posting"),
}


@pytest.mark.parametrize("what", WRONG)
def test_it_names_the_row(shop, what):
    statement, words = WRONG[what]
    account = Account.objects.get(customer=shop)
    names = {
        "account": account.pk,
        "lot": Lot.objects.get(posting__key="earn").pk,
        "posting": Posting.objects.get(key="redeem").pk,
    }
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # past triggers and foreign keys
        cursor.execute(statement.format(**names))
        cursor.execute("SET session_replication_role = origin")
    code, said = verify()
    assert code == 1
    assert words.format(**names) in said


def test_it_says_so_many_rows_and_no_more(shop, monkeypatch):
    monkeypatch.setattr(verifying, "NAMED_AT_MOST", 2)
    Account.objects.update(earned=10**6)
    assert len(disagreements()) == 2
