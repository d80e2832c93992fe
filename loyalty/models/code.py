"""Codes of offers, and every use of them.

A use is written once and never taken away: its state goes from reserved to used, and either may be released, which
gives caps and the budget back.
"""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, Order
from loyalty import codes
from loyalty.models.offer import Offer


class Code(models.Model):
    offer = models.ForeignKey(Offer, models.PROTECT, related_name="codes")
    code = models.CharField(_("code"), max_length=codes.LONGEST, unique=True)  # as loyalty.codes.normalise leaves it
    label = models.CharField(max_length=codes.LONGEST, blank=True)  # as people wrote it, where they chose it
    holder = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="offer_codes", verbose_name=_("holder")
    )
    max_uses = models.PositiveIntegerField(_("uses at most"), null=True, blank=True, default=1)
    used = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    blocked_at = models.DateTimeField(_("blocked"), null=True, blank=True)
    # Where the code ends before its offer does.
    expires_at = models.DateTimeField(_("until"), null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("code")
        verbose_name_plural = _("codes")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(code__regex=r"^[0-9A-HJKMNP-Z]+$"), name="a_code_is_kept_without_look_alikes"
            ),
            models.CheckConstraint(
                condition=Q(max_uses=None) | Q(max_uses__gte=1, used__lte=F("max_uses")),
                name="a_code_is_used_no_more_than_it_may",
            ),
        ]
        indexes: ClassVar = [
            # loyalty.selectors.offers: the codes of an offer, newest first
            models.Index(fields=["offer", "-id"], name="codes_of_an_offer"),
        ]

    def __str__(self) -> str:
        return self.shown

    @property
    def shown(self) -> str:
        """As people read it aloud."""
        return self.label or codes.shown(self.code)


class Use(models.Model):
    class State(models.TextChoices):
        RESERVED = "reserved", _("Reserved")
        USED = "used", _("Used")
        RELEASED = "released", _("Released")

    class Why(models.TextChoices):
        """Of a release."""

        ASKED = "asked", _("Given back")
        CANCELLED = "cancelled", _("The order was cancelled")
        REFUNDED = "refunded", _("The order was refunded")
        EXPIRED = "expired", _("The reservation ran out")

    code = models.ForeignKey(Code, models.PROTECT, related_name="uses")
    offer = models.ForeignKey(Offer, models.PROTECT, related_name="uses", db_index=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="offer_uses", db_index=False)
    state = models.CharField(max_length=8, choices=State, default=State.USED)
    key = models.CharField(max_length=120, unique=True)
    asked = models.CharField(max_length=64)  # fingerprint of what was asked under the key
    reference = models.CharField(max_length=200, blank=True)  # what the shop calls the order
    # The order, once it is known here. Not constrained: orders may be taken back by their import.
    order = models.ForeignKey(
        Order, models.DO_NOTHING, null=True, blank=True, related_name="+", db_constraint=False, db_index=False
    )
    basket = models.JSONField(default=list)  # sku, quantity, unit_price and net_cents of each line, as it was
    lines = models.JSONField(default=list)  # cents off each line, in the basket's order
    free = models.JSONField(default=list)  # sku and quantity of what comes on top
    discount_cents = models.BigIntegerField()  # off the lines and off shipping
    shipping_cents = models.BigIntegerField(default=0)  # of these, off shipping
    free_cents = models.BigIntegerField(default=0)  # list price of what comes on top
    held_back_cents = models.BigIntegerField(default=0)  # what floors and caps did not let through
    used_at = models.DateTimeField()
    used_on = models.DateField()  # in the business's time zone
    until = models.DateTimeField(null=True, blank=True)  # of a reservation
    released_at = models.DateTimeField(null=True, blank=True)
    why = models.CharField(max_length=10, choices=Why, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )

    class Meta:
        verbose_name = _("use of a code")
        verbose_name_plural = _("uses of codes")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=["reserved", "used", "released"]), name="a_use_has_a_known_state"
            ),
            models.CheckConstraint(
                condition=Q(state="released", released_at__isnull=False)
                | (~Q(state="released") & Q(released_at__isnull=True, why="")),
                name="a_released_use_says_when",
            ),
            models.CheckConstraint(
                condition=~Q(state="reserved") | Q(until__isnull=False), name="a_reservation_has_an_end"
            ),
            models.CheckConstraint(
                condition=Q(
                    discount_cents__gte=F("shipping_cents"),
                    shipping_cents__gte=0,
                    free_cents__gte=0,
                    held_back_cents__gte=0,
                ),
                name="a_discount_is_not_negative",
            ),
        ]
        indexes: ClassVar = [
            # loyalty.services.offers: how often this customer has used the offer
            models.Index(
                fields=["offer", "customer"], condition=~Q(state="released"), name="uses_of_an_offer_by_customer"
            ),
            # loyalty.selectors.offers: the uses of an offer, newest first
            models.Index(fields=["offer", "-id"], name="uses_of_an_offer"),
            # loyalty.services.offers: what else was used on this order
            models.Index(fields=["customer", "reference"], condition=~Q(state="released"), name="uses_on_an_order"),
            # loyalty.services.offer_orders: uses of an order that changed
            models.Index(fields=["order"], condition=Q(order__isnull=False), name="uses_of_a_known_order"),
            # loyalty.services.offers: reservations that ran out
            models.Index(fields=["until"], condition=Q(state="reserved"), name="open_reservations"),
        ]

    def __str__(self) -> str:
        return f"{self.code_id} by {self.customer_id}"

    @property
    def cost_cents(self) -> int:
        """What it takes from the budget."""
        return self.discount_cents + self.free_cents
