"""Fields that a business adds to its customers. Their values stand in Customer.custom, by key."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class CustomField(models.Model):
    class Kind(models.TextChoices):
        TEXT = "text", _("Text")
        NUMBER = "number", _("Number")
        DATE = "date", _("Date")
        YES_NO = "yes_no", _("Yes or no")
        CHOICE = "choice", _("Choice")

    key = models.SlugField(_("key"), max_length=40, unique=True)
    label = models.CharField(_("label"), max_length=60)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.TEXT)
    choices = ArrayField(models.CharField(max_length=80), verbose_name=_("choices"), default=list, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True)

    class Meta:
        verbose_name = _("custom field")
        verbose_name_plural = _("custom fields")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(key__regex=r"^[a-z][a-z0-9_]*$"), name="a_custom_field_has_a_key_of_small_letters"
            ),
            models.CheckConstraint(condition=~Q(label=""), name="a_custom_field_has_a_label"),
            models.CheckConstraint(
                condition=Q(kind__in=["text", "number", "date", "yes_no", "choice"]),
                name="a_custom_field_has_a_known_kind",
            ),
            models.CheckConstraint(
                condition=Q(kind="choice", choices__len__gte=1) | ~Q(kind="choice"),
                name="a_choice_has_something_to_choose",
            ),
        ]

    def __str__(self) -> str:
        return self.label
