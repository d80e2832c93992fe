"""Contracts and their terms: what was agreed from when to when for how much, and what became of each term.

The last term of a contract is the one that was not renewed: it waits for a decision, or the contract ends with it.
"""

from datetime import date
from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Func, Q, Value
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.models.company import Company
from customers.models.person import Customer

LONGEST_TERM = 120


class Days(Func):
    """The days from one date to another, both included, as a range."""

    function = "daterange"
    output_field = DateRangeField()


class Contract(models.Model):
    source = models.CharField(max_length=60, default="manual")
    external_id = models.CharField(_("contract number"), max_length=200)
    company = models.ForeignKey(
        Company, models.PROTECT, null=True, blank=True, related_name="contracts", verbose_name=_("company")
    )
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="contracts", verbose_name=_("customer")
    )
    plan = models.CharField(_("plan"), max_length=120)
    agreed_on = models.DateField(_("agreed"))
    starts_on = models.DateField(_("starts"))
    # What the next term is to be. Terms that stand keep theirs.
    term_months = models.PositiveSmallIntegerField(
        _("term, months"), default=12, validators=[MinValueValidator(1), MaxValueValidator(LONGEST_TERM)]
    )
    value_cents = models.BigIntegerField(_("value of a term"))
    margin_rate = models.DecimalField(_("margin rate"), max_digits=5, decimal_places=4, null=True, blank=True)
    renews_automatically = models.BooleanField(_("renews automatically"), default=False)
    # Then its value is in that of the customer's orders already: nothing may count it twice.
    is_billed_by_orders = models.BooleanField(_("billed by orders"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("contract")
        verbose_name_plural = _("contracts")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "external_id"], name="one_contract_per_source_and_id"),
            models.CheckConstraint(
                condition=Q(customer__isnull=False) | Q(company__isnull=False), name="a_contract_is_somebody_s"
            ),
            models.CheckConstraint(condition=~Q(plan=""), name="a_contract_names_its_plan"),
            models.CheckConstraint(
                condition=Q(term_months__gte=1, term_months__lte=LONGEST_TERM), name="a_term_has_1_to_120_months"
            ),
            models.CheckConstraint(condition=Q(value_cents__gte=0), name="a_contract_is_not_worth_less_than_nothing"),
            models.CheckConstraint(
                condition=Q(margin_rate__isnull=True) | Q(margin_rate__gte=-1, margin_rate__lte=1),
                name="margin_rate_of_a_contract_is_a_share",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} {self.external_id}"

    def get_absolute_url(self) -> str:
        return reverse("customers:contract_detail", args=[self.pk])


class ContractTerm(models.Model):
    """Once it is decided upon, a term stands: a trigger refuses any change but taking the decision back."""

    class Outcome(models.TextChoices):
        PENDING = "pending", pgettext_lazy("contract", "Open")
        RENEWED = "renewed", _("Renewed")
        CANCELLED = "cancelled", pgettext_lazy("contract", "Cancelled")
        LAPSED = "lapsed", _("Lapsed")

    class Status(models.TextChoices):
        """What a contract's last term says of the contract on a day."""

        FUTURE = "future", _("Not begun")
        RUNNING = "running", _("Running")
        OVERDUE = "overdue", _("Overdue")
        ENDING = "ending", _("Cancelled, still running")
        ENDED = "ended", _("Ended")

    contract = models.ForeignKey(Contract, models.CASCADE, related_name="terms")
    number = models.PositiveSmallIntegerField(_("term"))  # from 1; the first has 0 renewals behind it
    starts_on = models.DateField(_("starts"))
    ends_on = models.DateField(_("last day"))
    value_cents = models.BigIntegerField(_("value"))
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, default=Outcome.PENDING)
    decided_on = models.DateField(_("known since"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("term of a contract")
        verbose_name_plural = _("terms of contracts")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["contract", "number"], name="terms_of_a_contract_are_numbered"),
            # customers.selectors.contracts: the last term of each contract
            models.UniqueConstraint(
                fields=["contract"], condition=~Q(outcome="renewed"), name="a_contract_has_one_last_term"
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="terms_are_numbered_from_one"),
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="a_term_ends_after_it_starts"),
            models.CheckConstraint(condition=Q(value_cents__gte=0), name="a_term_is_not_worth_less_than_nothing"),
            models.CheckConstraint(
                condition=Q(outcome__in=["pending", "renewed", "cancelled", "lapsed"]),
                name="a_term_has_a_known_outcome",
            ),
            models.CheckConstraint(
                condition=Q(outcome="pending", decided_on__isnull=True)
                | (~Q(outcome="pending") & Q(decided_on__isnull=False)),
                name="a_decided_term_says_since_when",
            ),
            ExclusionConstraint(
                name="terms_of_a_contract_do_not_overlap",
                expressions=[
                    ("contract", RangeOperators.EQUAL),
                    (Days("starts_on", "ends_on", Value("[]")), RangeOperators.OVERLAPS),
                ],
            ),
        ]
        indexes: ClassVar = [
            # customers.selectors.contracts: what is due soon, and what is overdue
            models.Index(fields=["ends_on"], condition=Q(outcome="pending"), name="open_terms_by_last_day"),
        ]

    def __str__(self) -> str:
        return f"{self.starts_on} to {self.ends_on}"

    def status(self, day: date) -> Status:
        """Of the contract, said by its last term."""
        if self.outcome != self.Outcome.PENDING:
            return self.Status.ENDING if self.ends_on >= day else self.Status.ENDED
        if self.ends_on < day:
            return self.Status.OVERDUE
        return self.Status.FUTURE if self.number == 1 and self.starts_on > day else self.Status.RUNNING

    @property
    def renewals(self) -> int:
        """How often the contract had been renewed when this term began."""
        return self.number - 1
