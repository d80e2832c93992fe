"""Customers by the month of their first order, and what each such cohort did in the months after.

Derived like the summaries: rebuilt by running again. Months are numbers, 12 × year + month − 1.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models


class CohortMember(models.Model):
    """A customer with an order that stands, and what each month of theirs adds to the cohort's rows.

    Kept so that a customer who changed can be taken out of the rows again. The arrays have one place for each month
    with an order or money back.
    """

    customer_id = models.BigIntegerField(primary_key=True)
    first_month = models.IntegerField()  # of the first order that stands
    channel = models.CharField(max_length=60)  # of that order, empty where it names none
    category_id = models.BigIntegerField(null=True)  # where most of that order's money went
    months = ArrayField(models.IntegerField())
    orders = ArrayField(models.IntegerField())  # that stand
    values_cents = ArrayField(models.BigIntegerField())
    margins_cents = ArrayField(models.BigIntegerField())

    def __str__(self) -> str:
        return f"Customer {self.customer_id} in cohort {self.first_month}"


class Cohort(models.Model):
    """What one month's new customers did `month` months later, all of them and by each first channel and category.

    Refunds count in their own month; money from before the first order that stands counts in month 0. The customers
    of month 0 are the cohort's size.
    """

    class Split(models.IntegerChoices):
        ALL = 0
        CHANNEL = 1
        CATEGORY = 2

    pk = models.CompositePrimaryKey("split", "key", "first_month", "month")
    split = models.SmallIntegerField(choices=Split)
    key = models.CharField(max_length=60)  # the channel, or the category's id; empty for none and for all
    first_month = models.IntegerField()
    month = models.IntegerField()  # months after the first order's
    customers = models.IntegerField()  # with an order in that month
    orders = models.IntegerField()
    value_cents = models.BigIntegerField()
    margin_cents = models.BigIntegerField()

    def __str__(self) -> str:
        return f"Cohort {self.first_month} of {self.key or 'all'}, month {self.month}"


class OrderDays(models.Model):
    """The day of each order of a customer that stands, in order: periods are counted from these."""

    customer_id = models.BigIntegerField(primary_key=True)
    days = ArrayField(models.DateField())

    def __str__(self) -> str:
        return f"Order days of customer {self.customer_id}"


class PeriodCounts(models.Model):
    """Customers counted over the `days` days that end with `until`, as the night for `as_of` saw them.

    Active are customers with an order within the days that count as leaving (a setting, kept here).
    """

    as_of = models.DateField()
    days = models.SmallIntegerField()
    until = models.DateField()  # as_of, or as_of − days for the period before
    active_days = models.SmallIntegerField()
    started = models.IntegerField()  # active on the day before the period
    kept = models.IntegerField()  # of them, active on its last day
    active = models.IntegerField()  # on its last day
    buyers = models.IntegerField()  # with an order in the period
    repeated = models.IntegerField()  # of them, with an earlier order day by its end
    orders = models.IntegerField()  # of the buyers in the period

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["days", "as_of", "until"], name="one_count_per_night_and_period"),
        ]

    def __str__(self) -> str:
        return f"{self.days} days until {self.until}"
