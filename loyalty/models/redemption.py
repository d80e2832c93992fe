"""What a customer bought with points, and what became of it.

held → committed → ready → handed over or sent; held → released; whatever is not handed over or sent → cancelled.
"""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.models import Customer, Order
from loyalty.models.code import Code
from loyalty.models.reward import Reward


class Redemption(models.Model):
    class State(models.TextChoices):
        HELD = "held", pgettext_lazy("redemption", "Held")
        COMMITTED = "committed", pgettext_lazy("redemption", "Waiting")
        READY = "ready", pgettext_lazy("redemption", "Ready")
        HANDED_OVER = "handed_over", pgettext_lazy("redemption", "Handed over")
        SENT = "sent", pgettext_lazy("redemption", "Sent")
        RELEASED = "released", pgettext_lazy("redemption", "Released")
        CANCELLED = "cancelled", pgettext_lazy("redemption", "Cancelled")

    class Place(models.TextChoices):
        """Where it was made."""

        TILL = "till", _("Till")
        PORTAL = "portal", _("Customer's page")
        API = "api", _("Program")

    customer = models.ForeignKey(
        Customer, models.PROTECT, db_index=False, related_name="redemptions", verbose_name=_("customer")
    )
    # None: points straight into money off.
    reward = models.ForeignKey(
        Reward,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="redemptions",
        verbose_name=_("reward"),
    )
    points = models.BigIntegerField(_("points"))
    money_off_cents = models.BigIntegerField(_("money off"), default=0)
    state = models.CharField(_("state"), max_length=11, choices=State)
    place = models.CharField(_("where"), max_length=6, choices=Place)
    # From the fact that caused it: the same key is the same redemption. The ledger's keys are made of it.
    key = models.CharField(max_length=100)
    # What the ledger wrote: a spend, or a hold until it is decided upon and the spend that it then became.
    posting_id = models.BigIntegerField(null=True, blank=True, unique=True)
    hold_id = models.BigIntegerField(null=True, blank=True, unique=True)
    took_stock = models.BooleanField(default=False)
    code = models.CharField(_("code"), max_length=16, unique=True)  # what the customer shows (loyalty.codes)
    voucher = models.CharField(_("discount code"), max_length=60, blank=True)  # what a code reward hands out
    # The voucher, where an offer made it.
    offer_code = models.OneToOneField(
        Code, models.PROTECT, null=True, blank=True, related_name="redemption", verbose_name=_("code of an offer")
    )
    # The order that the points were spent on: what the shop calls it, and which it is once it is known here. Not
    # constrained: orders may be taken back by their import.
    reference = models.CharField(_("order"), max_length=200, blank=True)
    order = models.ForeignKey(
        Order, models.DO_NOTHING, null=True, blank=True, related_name="+", db_constraint=False, db_index=False
    )
    made_at = models.DateTimeField(_("made"))
    expires_at = models.DateTimeField(_("held until"), null=True, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name=_("made by"),
    )
    handled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name=_("handled by"),
    )
    handled_at = models.DateTimeField(_("handled"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)  # why it was cancelled

    class Meta:
        verbose_name = _("redemption")
        verbose_name_plural = _("redemptions")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key"], name="one_redemption_per_key"),
            models.CheckConstraint(condition=Q(points__gte=1), name="a_redemption_takes_points"),
            models.CheckConstraint(condition=Q(money_off_cents__gte=0), name="money_off_is_not_below_zero"),
            models.CheckConstraint(
                condition=Q(state__in=["held", "committed", "ready", "handed_over", "sent", "released", "cancelled"]),
                name="a_redemption_is_in_a_known_state",
            ),
            models.CheckConstraint(
                condition=~Q(state="held") | Q(hold_id__isnull=False, expires_at__isnull=False),
                name="a_held_redemption_has_a_hold_and_an_end",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["held", "released"]) | Q(posting_id__isnull=False),
                name="a_redemption_that_counts_has_its_posting",
            ),
        ]
        indexes: ClassVar = [
            # loyalty.selectors.redemptions: what waits for staff, the oldest first
            models.Index(
                fields=["made_at", "id"], condition=Q(state__in=["committed", "ready"]), name="redemptions_to_fulfil"
            ),
            # loyalty.services.holds: holds that ran out
            models.Index(fields=["expires_at"], condition=Q(state="held"), name="held_redemptions_by_end"),
            # loyalty.services.rewards: how many of a reward a customer has had
            models.Index(fields=["customer", "reward", "made_at"], name="redemptions_of_a_customer"),
            # loyalty.selectors.redemptions: the latest of all, and of a reward
            models.Index(fields=["-made_at", "-id"], name="redemptions_by_time"),
            models.Index(fields=["reward", "-made_at"], name="redemptions_of_a_reward"),
            # loyalty.services.order_points: points spent on orders that changed, and those of orders that just came
            models.Index(fields=["order"], condition=Q(order__isnull=False), name="redemptions_of_an_order"),
            models.Index(
                fields=["customer", "reference"],
                condition=Q(order__isnull=True) & ~Q(reference=""),
                name="redemptions_without_order",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def may_take_code_back(self) -> bool:
        """Whether it gave a code of an offer that nobody has used so far."""
        is_given = self.state in (self.State.HANDED_OVER, self.State.SENT)
        return is_given and self.offer_code is not None and not self.offer_code.used
