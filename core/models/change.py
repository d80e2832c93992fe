"""The change feed: the transaction that writes a fact also says that it did.

Readers take changes of transactions below the oldest one still running, so that a late commit is never skipped:
identifiers are handed out at the start of a transaction, and a plain sequence would pass by the slow ones.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Func


class XidField(models.Field):  # type: ignore[type-arg]
    """A PostgreSQL transaction id of 64 bits (`xid8`): it never wraps around and can be compared."""

    def db_type(self, connection: object) -> str:
        return "xid8"

    def from_db_value(self, value: object, expression: object, connection: object) -> int | None:
        return None if value is None else int(str(value))

    def get_prep_value(self, value: object) -> str | None:
        return None if value is None else str(value)


class CurrentXid(Func):
    function = "pg_current_xact_id"
    template = "%(function)s()"
    output_field = XidField()


class Change(models.Model):
    """One fact was written: `kind` says which table, `object_id` which row (days are counted from 1970-01-01)."""

    class Kind(models.TextChoices):
        CUSTOMER_ORDERS = "customer_orders"  # object_id: a customer whose orders, refunds or company changed
        ORDER = "order"  # object_id: an order
        DAY = "day"  # object_id: a business date whose totals changed
        CUSTOMER_COSTS = "customer_costs"  # object_id: a customer on whom something was spent
        ACQUISITION = "acquisition"  # object_id: a month, by the date it begins on, whose spend changed
        CONTRACT = "contract"  # object_id: a contract

    kind = models.CharField(max_length=24, choices=Kind)
    object_id = models.BigIntegerField()
    xid = XidField(db_default=CurrentXid(), editable=False)

    class Meta:
        indexes: ClassVar = [
            # core.feed.pending: the changes of one kind after a cursor, in the order of commits
            models.Index(fields=["kind", "xid", "id"], name="change_by_kind_and_xid"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"


class Cursor(models.Model):
    """How far a reaction has read: everything of transactions below `xid`, for business dates up to `as_of`."""

    reaction = models.CharField(primary_key=True, max_length=60)
    xid = XidField()
    as_of = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.reaction} at {self.xid}"
