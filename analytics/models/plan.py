"""What people mean to do about a segment: the goal, who answers for it, the steps, and what it may cost."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.models import Segment


class Plan(models.Model):
    segment = models.OneToOneField(Segment, models.CASCADE, related_name="plan", verbose_name=_("segment"))
    goal = models.TextField(_("goal"), max_length=1000, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("owner"),
    )
    budget_cents = models.BigIntegerField(_("budget per head and year"), null=True, blank=True)
    notes = models.TextField(_("notes"), max_length=5000, blank=True)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("retention plan")
        verbose_name_plural = _("retention plans")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(budget_cents__gte=0), name="a_budget_is_not_negative"),
        ]

    def __str__(self) -> str:
        return gettext("Retention plan %(number)s") % {"number": self.pk}

    def get_absolute_url(self) -> str:
        return reverse("desk:plan_detail", args=[self.pk])


class PlanAction(models.Model):
    class State(models.TextChoices):
        OPEN = "open", _("To do")
        DOING = "doing", _("In progress")
        DONE = "done", _("Done")
        DROPPED = "dropped", _("Dropped")

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="actions")
    position = models.PositiveSmallIntegerField(_("position"))
    text = models.CharField(_("action"), max_length=200)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN)
    due_on = models.DateField(_("due"), null=True, blank=True)

    class Meta:
        verbose_name = _("action of a plan")
        verbose_name_plural = _("actions of plans")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["plan", "position"],
                deferrable=models.Deferrable.DEFERRED,
                name="one_action_per_place_in_a_plan",
            ),
            models.CheckConstraint(condition=~Q(text=""), name="an_action_says_what_to_do"),
            models.CheckConstraint(
                condition=Q(state__in=["open", "doing", "done", "dropped"]), name="an_action_has_a_known_state"
            ),
        ]

    def __str__(self) -> str:
        return self.text
