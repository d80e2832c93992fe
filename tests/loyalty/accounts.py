"""Accounts of points as tests look at them."""

from datetime import UTC, datetime, timedelta

from loyalty.models import Account
from loyalty.services import verifying

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def account(customer):
    return Account.objects.get(customer=customer)


def totals(customer):
    """(balance, pending, held) as they stand in the row."""
    row = account(customer)
    return row.balance, row.pending, row.held


def lifetime(customer):
    """(earned, spent, expired, reversed)"""
    row = account(customer)
    return row.earned, row.spent, row.expired, row.reversed


def left(customer):
    """What is left of each lot, in the order in which they came."""
    return list(account(customer).lots.order_by("pk").values_list("points_left", flat=True))


def disagreements():
    """What verify_ledger would say."""
    return [text for result in verifying.verify() for text in result.wrong]
