"""Points that a person gives or takes by hand. Above the limit a second person decides."""

from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.models import ApiKey, User
from customers.models import Customer
from loyalty.models.ledger import LARGEST, Posting

LONGEST_REASON: Final = 300


def _who(person: User | None, program: ApiKey | None) -> str:
    if person is not None:
        return str(person)
    return _("Program “%(name)s”") % {"name": program.name} if program else _("A program")


class Adjustment(models.Model):
    class State(models.TextChoices):
        WAITING = "waiting", gettext_lazy("Waiting for a second person")
        DONE = "done", gettext_lazy("Done")
        REFUSED = "refused", gettext_lazy("Refused")

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="adjustments")
    points = models.BigIntegerField(gettext_lazy("points"))
    reason = models.CharField(gettext_lazy("reason"), max_length=LONGEST_REASON)
    key = models.CharField(max_length=120, unique=True)
    state = models.CharField(gettext_lazy("state"), max_length=7, choices=State)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False)
    # Either a person or the key of a program; neither: one that asked before keys were noted.
    asked_program = models.ForeignKey(ApiKey, models.PROTECT, null=True, related_name="+", db_index=False)
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    decided_program = models.ForeignKey(ApiKey, models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)
    answer = models.CharField(gettext_lazy("answer"), max_length=LONGEST_REASON, blank=True, default="", db_default="")
    posting = models.OneToOneField(Posting, models.PROTECT, null=True, related_name="adjustment")

    class Meta:
        verbose_name = gettext_lazy("adjustment of points")
        verbose_name_plural = gettext_lazy("adjustments of points")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(points=0) & Q(points__gte=-LARGEST, points__lte=LARGEST), name="an_adjustment_has_points"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="an_adjustment_has_a_reason"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | Q(asked_by__isnull=True) | ~Q(decided_by=F("asked_by")),
                name="nobody_approves_their_own_adjustment",
            ),
            models.CheckConstraint(
                condition=Q(decided_program__isnull=True)
                | Q(asked_program__isnull=True)
                | ~Q(decided_program=F("asked_program")),
                name="no_program_approves_its_own_adjustment",
            ),
            models.CheckConstraint(
                condition=Q(asked_by__isnull=True) | Q(asked_program__isnull=True), name="one_asks_for_an_adjustment"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | Q(decided_program__isnull=True),
                name="one_decides_on_an_adjustment",
            ),
            models.CheckConstraint(
                condition=Q(state="done", posting__isnull=False) | Q(state__in=["waiting", "refused"], posting=None),
                name="an_adjustment_that_is_done_has_a_posting",
            ),
        ]
        indexes: ClassVar = [
            # loyalty.services.adjustments: what waits for a second person
            models.Index(fields=["asked_at"], condition=Q(state="waiting"), name="adjustments_that_wait"),
        ]

    def __str__(self) -> str:
        return f"{self.points:+d}: {self.reason}"

    @property
    def asker(self) -> str:
        return _who(self.asked_by, self.asked_program)

    @property
    def decider(self) -> str:
        return _who(self.decided_by, self.decided_program)

    @property
    def asker_id(self) -> int | None:
        """The person behind it: who asked, or who made the key that did. Select `asked_program` along."""
        return self.asked_by_id or (self.asked_program.created_by_id if self.asked_program else None)
