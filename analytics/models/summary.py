"""What the engine reads instead of orders: one row per customer, one row per business date.

Plain customer ids without foreign keys: these rows are derived, rebuilt by running again, and a customer who is gone
is found by the change feed.
"""

from django.db import models


class PurchaseSummary(models.Model):
    """A customer's orders up to a business date: days are business dates, money minor units net of refunds."""

    customer_id = models.BigIntegerField(primary_key=True)
    orders = models.IntegerField()  # not fully refunded
    order_days = models.IntegerField()  # distinct days with such an order
    first_at = models.DateTimeField()  # of such orders; of all orders when every one came back
    last_at = models.DateTimeField()
    first_on = models.DateField()
    last_on = models.DateField()
    value_cents = models.BigIntegerField()
    repeat_value_cents = models.BigIntegerField()  # of the order days after the first
    margin_cents = models.BigIntegerField()
    prior_on = models.DateField()  # the third-last order day; the first where there are fewer than three
    log_gaps = models.FloatField()  # sum of ln(days between order days)
    paid_days = models.IntegerField()  # order days after the first with money left
    log_value = models.FloatField()  # sum of ln(their minor units)
    log_value_sq = models.FloatField()  # and of its square
    refunded_cents = models.BigIntegerField()  # what came back after the day of its order

    def __str__(self) -> str:
        return f"Summary of customer {self.customer_id}"


class DayTotals(models.Model):
    """All orders and returns of one business date, guests included."""

    day = models.DateField(primary_key=True)
    orders = models.IntegerField()
    buyers = models.IntegerField()  # distinct customers
    value_cents = models.BigIntegerField()  # order value less what came back that day
    refunds_cents = models.BigIntegerField()  # what came back that day, matched or not
    margin_cents = models.BigIntegerField()
    # who bought or brought back what, in one number: looks back on the same facts are made once (services.choices)
    fingerprint = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"Totals of {self.day}"
