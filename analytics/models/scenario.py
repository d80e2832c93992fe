"""A what-if question that people keep: its levers, never its answer, which each night gives anew."""

from typing import Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics.clv.what_if import RANGES

# Per cent by which each lever may move.
LIMITS: Final = {name: (round(100 * (low - 1)), round(100 * (high - 1))) for name, (low, high) in RANGES.items()}


def _within(lever: str) -> models.CheckConstraint:
    low, high = LIMITS[lever]
    return models.CheckConstraint(
        condition=Q(**{f"{lever}__gte": low, f"{lever}__lte": high}), name=f"{lever}_moves_within_its_range"
    )


def _change(label: Promise) -> "models.DecimalField[Any, Any]":
    """A change in per cent; 0 leaves the lever where it is."""
    return models.DecimalField(verbose_name=label, max_digits=4, decimal_places=1, default=0)  # type: ignore[arg-type]


class Scenario(models.Model):
    """Levers for all customers (scheme and slug empty) or for one segment. A deleted one can be brought back."""

    name = models.CharField(_("name"), max_length=80)
    note = models.TextField(_("note"), max_length=1000, blank=True)
    scheme = models.CharField(_("division"), max_length=20, blank=True)
    slug = models.CharField(_("segment"), max_length=60, blank=True)
    leaving = _change(_("customers who leave, change in %"))
    frequency = _change(_("orders a year, change in %"))
    order_value = _change(_("order value, change in %"))
    margin_rate = _change(_("margin rate, change in %"))
    acquisition_cost = _change(_("acquisition cost, change in %"))
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("made by"),
    )
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("changed by"),
    )
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)

    class Meta:
        verbose_name = _("scenario")
        verbose_name_plural = _("scenarios")
        constraints: ClassVar = [
            models.UniqueConstraint(
                Lower("name"), condition=Q(deleted_at__isnull=True), name="a_scenario_has_its_name_alone"
            ),
            models.CheckConstraint(condition=Q(name__regex=r"^\S(.*\S)?$"), name="a_scenario_has_a_name"),
            models.CheckConstraint(
                condition=Q(scheme="", slug="") | (~Q(scheme="") & ~Q(slug="")), name="a_segment_is_named_in_full"
            ),
            *(_within(lever) for lever in LIMITS),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("analytics:scenario_edit", args=[self.pk])

    @property
    def changes(self) -> dict[str, float]:
        """The levers in per cent, those that stay where they are too."""
        return {lever: float(getattr(self, lever)) for lever in LIMITS}
