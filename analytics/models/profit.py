"""What customers brought in beside what they cost, kept up to date night by night.

Plain customer ids without foreign keys, as in the summaries: derived rows, rebuilt by running again.
"""

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import Q


class Profit(models.Model):
    """A customer's margin and costs up to a business date. Money in minor units.

    Acquired is who has an order that stands; somebody without one has costs all the same.
    """

    customer_id = models.BigIntegerField(primary_key=True)
    acquired_on = models.DateField(null=True)  # the day of the first order that stands
    channel = models.CharField(max_length=60)  # of that order, empty where it names none
    acquisition_cents = models.BigIntegerField()  # her part of what the channel cost in that month
    margin_cents = models.BigIntegerField()
    cost_cents = models.BigIntegerField()  # to serve and to keep
    other_cents = models.BigIntegerField()  # of these, all but the handling of orders
    # Since that day margin has covered all costs and the acquisition; empty while it does not.
    profitable_on = models.DateField(null=True)

    class Meta:
        indexes: ClassVar = [
            # analytics.services.profit: the customers whom a channel won in a month
            models.Index(fields=["channel", "acquired_on"], name="customers_won_by_a_channel"),
        ]

    def __str__(self) -> str:
        return f"Profit of customer {self.customer_id}"

    @property
    def profit_cents(self) -> int:
        return self.margin_cents - self.cost_cents - self.acquisition_cents


class ChannelMonth(models.Model):
    """How many customers a channel won in a month, and the spend that was divided among them.

    Without customers the spend is nobody's: it is told as unassigned.
    """

    pk = models.CompositePrimaryKey("channel", "month")
    channel = models.CharField(max_length=60)
    month = models.DateField()  # its first day
    customers = models.IntegerField()
    amount_cents = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.customers} customers of {self.channel or 'no channel'} in {self.month:%Y-%m}"


class AppliedUnitCosts(models.Model):
    """What orders and returns were counted at last: other unit costs mean counting everybody anew."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    order_cents = models.DecimalField(max_digits=14, decimal_places=4, default=Decimal(0))
    return_cents = models.DecimalField(max_digits=14, decimal_places=4, default=Decimal(0))

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="unit_costs_are_applied_once")]

    def __str__(self) -> str:
        return f"{self.order_cents} an order, {self.return_cents} a return"
