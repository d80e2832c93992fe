"""The ledger in sums, so that no page adds up millions of postings. Derived: made again from the ledger at any time.

Sums may be larger than a bigint, which is what each single figure of the ledger fits.
"""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from core.models.change import XidField


def _sum(**options: Any) -> "models.DecimalField[Any, Any]":
    return models.DecimalField(max_digits=40, decimal_places=0, default=0, **options)


class Tally(models.Model):
    """A single row (id 1): how far the sums have read, and what is measured once a night.

    Sums hold the postings up to `read_id`, by the days of `time_zone`. `marked_id` was the last id handed out when
    transaction `marked_xid` began: once all older ones are over, nothing below it can come any more
    (loyalty.services.tallying).
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    time_zone = models.CharField(max_length=64)
    read_id = models.BigIntegerField(default=0)
    read_at = models.DateTimeField(null=True)  # what was posted before is in the sums
    marked_id = models.BigIntegerField(default=0)
    marked_xid = XidField(default=0)
    marked_at = models.DateTimeField(null=True)
    looked_at = models.DateTimeField(null=True)  # the moment that LotsLeft and the following are of
    # Redemptions of the 365 days before that: all of their points, those whose cost is known, and that cost.
    spent_points = _sum()
    costed_points = _sum()
    cost_cents = _sum()

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="there_is_one_tally")]

    def __str__(self) -> str:
        return f"Read up to posting {self.read_id}"


class PointDay(models.Model):
    """All postings of one kind that count for one business day: the day of their `at`."""

    day = models.DateField()
    kind = models.CharField(max_length=10)  # Posting.Kind
    postings = models.BigIntegerField()
    points = _sum()
    pending_points = _sum()
    held_points = _sum()
    owed_points = _sum()  # how much more customers owe after them

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["day", "kind"], name="one_sum_per_day_and_kind")]

    def __str__(self) -> str:
        return f"{self.kind} on {self.day}"


class LotMonth(models.Model):
    """What lots that became active in one month lost in another one: the triangle that breakage is estimated from.

    `came` stands in the row of the month in which they became active. Redeemed is net of what came back to them.
    """

    active_month = models.DateField()
    month = models.DateField()
    came = _sum()
    redeemed = _sum()
    taken_back = _sum()  # by refunds, adjustments and debts
    expired = _sum()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["active_month", "month"], name="one_sum_per_month_of_lots_and_month")
        ]

    def __str__(self) -> str:
        return f"Lots of {self.active_month} in {self.month}"


class LotsLeft(models.Model):
    """What was left of all lots when the night looked, by the months in which they become active and end."""

    active_month = models.DateField()
    last_month = models.DateField(null=True)  # with their last day; never
    points = _sum()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["active_month", "last_month"], nulls_distinct=False, name="one_sum_per_months_of_lots"
            )
        ]

    def __str__(self) -> str:
        return f"{self.points} of {self.active_month}"
