"""What the last night says of contracts, and of those who hold them. Rebuilt whole each night."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class ContractValue(models.Model):
    """A contract that has not ended. Money is margin in minor units, discounted to the night's date."""

    contract_id = models.BigIntegerField(primary_key=True)
    run_id = models.BigIntegerField()
    as_of = models.DateField()
    model = models.CharField(max_length=30)  # the curve's name, analytics.clv.renewals
    renewals = models.PositiveSmallIntegerField()  # behind the term that is decided upon next
    due_on = models.DateField()  # last day of the last term that is agreed
    is_overdue = models.BooleanField(default=False)
    p_renew = models.FloatField(null=True)  # empty when it was cancelled
    left_cents = models.BigIntegerField()  # of what is agreed
    stake_cents = models.BigIntegerField()  # lost if the next renewal does not come
    beyond_cents = models.BigIntegerField()  # expected of renewals
    value_cents = models.BigIntegerField()
    low_cents = models.BigIntegerField()
    high_cents = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(p_renew__isnull=True) | Q(p_renew__gte=0, p_renew__lte=1), name="a_renewal_has_a_chance"
            ),
            models.CheckConstraint(
                condition=Q(value_cents=F("left_cents") + F("beyond_cents")), name="value_is_what_is_left_and_beyond"
            ),
            models.CheckConstraint(
                condition=Q(low_cents__lte=F("value_cents"), high_cents__gte=F("value_cents")),
                name="value_of_a_contract_is_within_its_interval",
            ),
        ]

    def __str__(self) -> str:
        return f"Value of contract {self.contract_id}"


class ContractTotal(models.Model):
    """The contracts of a customer or a company together; the intervals are those of the sums.

    The columns of 12 months, 36 months and ten years leave out contracts that orders bill: they are what a customer's
    value of orders is raised by.
    """

    class Owner(models.TextChoices):
        CUSTOMER = "customer", _("Customer")
        COMPANY = "company", _("Company")

    owner = models.CharField(max_length=10, choices=Owner)
    owner_id = models.BigIntegerField()
    contracts = models.PositiveIntegerField()
    value_cents = models.BigIntegerField()
    low_cents = models.BigIntegerField()
    high_cents = models.BigIntegerField()
    year_cents = models.BigIntegerField(default=0)
    year_low_cents = models.BigIntegerField(default=0)
    year_high_cents = models.BigIntegerField(default=0)
    three_years_cents = models.BigIntegerField(default=0)
    lifetime_cents = models.BigIntegerField(default=0)  # ten years at most

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "owner_id"], name="one_total_of_contracts_per_owner"),
            models.CheckConstraint(
                condition=Q(low_cents__lte=F("value_cents"), high_cents__gte=F("value_cents"))
                & Q(year_low_cents__lte=F("year_cents"), year_high_cents__gte=F("year_cents")),
                name="totals_of_contracts_are_within_their_intervals",
            ),
        ]

    def __str__(self) -> str:
        return f"Contracts of {self.owner} {self.owner_id}"
