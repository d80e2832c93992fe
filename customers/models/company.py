"""Businesses that buy, and the terms agreed with them. Their contacts are customers."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class Company(models.Model):
    source = models.CharField(max_length=60, default="manual")
    external_id = models.CharField(max_length=200)
    name = models.CharField(_("name"), max_length=200)
    tax_number = models.CharField(_("tax number"), max_length=40, blank=True)
    payment_terms_days = models.PositiveSmallIntegerField(_("payment terms, days"), null=True, blank=True)
    contract_starts_on = models.DateField(_("contract starts"), null=True, blank=True)
    contract_ends_on = models.DateField(_("contract ends"), null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("company")
        verbose_name_plural = _("companies")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "external_id"], name="one_company_per_source_and_id"),
            models.CheckConstraint(condition=~Q(name=""), name="a_company_has_a_name"),
            models.CheckConstraint(
                condition=Q(contract_ends_on__gte=F("contract_starts_on")), name="a_contract_ends_after_it_starts"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("customers:company_detail", args=[self.pk])
