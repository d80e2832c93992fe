"""A demo's points go with the demo. Nothing else removes what the ledger holds."""

from collections.abc import Collection

from django.db import connection

from loyalty.services import tallying


def remove_demo(*, customer_ids: Collection[int]) -> int:
    """The accounts of these customers with all that is in them; how many accounts there were.

    What refers to their postings (redemptions, credits) has to be gone before. Raises django.db.IntegrityError
    where the business is no demo and one of them is known from elsewhere.
    """
    tallying.forget()
    with connection.cursor() as cursor:
        cursor.execute("SELECT loyalty_remove_demo(%s::bigint[])", [sorted(customer_ids)])
        (number,) = cursor.fetchone()
    return int(number)


def remove_demo_tiers(*, customer_ids: Collection[int]) -> int:
    """Tiers, moves, notices, birthday gifts and replies of these customers; how many standings there were.

    Raises django.db.IntegrityError as above.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT loyalty_remove_demo_tiers(%s::bigint[])", [sorted(customer_ids)])
        (number,) = cursor.fetchone()
    return int(number)
