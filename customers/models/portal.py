"""A customer's own way in: one account for each verified address, and the codes that wait to be mailed."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from customers.models.person import Customer


class PortalAccess(models.Model):
    """Who may see a customer's own pages. A customer may have several; an address opens one customer at most."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="portal", verbose_name=_("user"))
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="portal_accesses", verbose_name=_("customer"))
    address = models.EmailField(_("e-mail"))
    made_at = models.DateTimeField(_("made"))
    verified_at = models.DateTimeField(_("verified"), null=True, blank=True)  # by the first code that came back

    class Meta:
        verbose_name = _("portal access")
        verbose_name_plural = _("portal accesses")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["address"], name="one_customer_per_portal_address"),
            models.CheckConstraint(condition=Q(address=Lower("address")), name="portal_address_is_in_lower_case"),
        ]

    def __str__(self) -> str:
        return self.address


class CodeMail(models.Model):
    """A code that somebody asked for, until a worker has looked whether anybody is to get it.

    There is a row for unknown addresses too, so that the page does the same for all. It goes when it is claimed.
    With a customer it is a code that makes the address the one that they sign in with.
    """

    customer = models.ForeignKey(Customer, models.CASCADE, null=True, related_name="+")
    address = models.EmailField()
    code = models.CharField(max_length=20)
    language = models.CharField(max_length=8)
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"code mail {self.pk}"
