"""The ledger of points. Only loyalty.ledger writes it (docs/adr/0012-ledger.md); these rules hold after every write:

- An account's `balance`, `pending` and `held` are the sums of what its postings changed of each.
- Of a lot is left what its allocations have not taken. Active lots together hold the balance, or nothing when it is
  below zero: what comes in pays the debt first. Pending lots together hold `pending`, open holds `held`.
- Nothing that time decides is due before `due_at`.

Points are whole numbers. Postings and allocations are never changed or removed: triggers refuse it.
"""

from typing import ClassVar, Final

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, Order

LARGEST: Final = 10**12  # points of one posting
COUNTERS: Final = ("earned", "spent", "expired", "reversed")


class Account(models.Model):
    """What one customer has now. Every write to the ledger locks this row first, so there is one at a time."""

    customer = models.OneToOneField(Customer, models.PROTECT, related_name="account")
    balance = models.BigIntegerField(default=0, db_default=0)
    pending = models.BigIntegerField(default=0, db_default=0)
    held = models.BigIntegerField(default=0, db_default=0)
    # Over the account's life, with those of accounts that were merged into it
    earned = models.BigIntegerField(default=0, db_default=0)
    spent = models.BigIntegerField(default=0, db_default=0)
    expired = models.BigIntegerField(default=0, db_default=0)
    reversed = models.BigIntegerField(default=0, db_default=0)
    may_owe = models.BooleanField(default=False, db_default=False)  # a reversal took more than was there
    due_at = models.DateTimeField(null=True)
    # Whose lots these are now: what is written for this account's customer or postings is written there
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, related_name="merged", db_index=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(balance__gte=0) | Q(may_owe=True), name="points_are_not_overdrawn"),
            models.CheckConstraint(condition=Q(pending__gte=0), name="pending_points_are_not_negative"),
            models.CheckConstraint(condition=Q(held__gte=0), name="held_points_are_not_negative"),
            models.CheckConstraint(
                condition=Q(earned__gte=0, spent__gte=0, expired__gte=0, reversed__gte=0),
                name="lifetime_points_are_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | Q(balance=0, pending=0, held=0),
                name="a_merged_account_is_empty",
            ),
        ]
        indexes: ClassVar = [
            # loyalty.services: accounts for which time has decided something, at midnight and in the sweep
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="accounts_that_are_due"),
            # loyalty.selectors.points, tier_values: what was merged into an account; few of them
            models.Index(fields=["merged_into"], condition=Q(merged_into__isnull=False), name="merged_accounts"),
        ]

    def __str__(self) -> str:
        return f"Account {self.pk}"


class Posting(models.Model):
    """One change of an account, for ever. The key comes from the fact that caused it, so that it counts once."""

    class Kind(models.TextChoices):
        EARN = "earn", _("Earned")
        ACTIVATE = "activate", _("Ready to use")
        REDEEM = "redeem", _("Redeemed")
        HOLD = "hold", _("Held")
        RELEASE = "release", _("Released")
        COMMIT = "commit", _("Redeemed from a hold")
        EXPIRE = "expire", _("Expired")
        REVERSE = "reverse", _("Taken back")
        GIVE_BACK = "give_back", _("Given back")
        ADJUST = "adjust", _("Adjusted")
        MERGE = "merge", _("Merged")

    account = models.ForeignKey(Account, models.PROTECT, related_name="postings", db_index=False)
    customer = models.ForeignKey(Customer, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind)
    points = models.BigIntegerField()
    pending_points = models.BigIntegerField(default=0, db_default=0)
    held_points = models.BigIntegerField(default=0, db_default=0)
    asked = models.BigIntegerField()  # what the caller wanted; a reversal may find less
    key = models.CharField(max_length=120)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    # What this takes back, gives back, commits, releases, or makes active
    source = models.ForeignKey("self", models.PROTECT, null=True, related_name="consequences", db_index=False)
    order = models.ForeignKey(
        Order, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    reason = models.CharField(max_length=300, blank=True, default="", db_default="")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key"], name="a_fact_counts_once"),
            models.CheckConstraint(
                condition=Q(
                    **{f"{name}__gte": -LARGEST for name in ("points", "pending_points", "held_points", "asked")},
                    **{f"{name}__lte": LARGEST for name in ("points", "pending_points", "held_points", "asked")},
                )
                | Q(kind="merge"),
                name="a_posting_has_a_size",
            ),
        ]
        indexes: ClassVar = [
            # loyalty.selectors.points: the statement, the latest first
            models.Index(fields=["account", "-id"], name="postings_of_an_account"),
            # loyalty.ledger: how much of a posting was taken back or given back already
            models.Index(fields=["source"], condition=Q(source__isnull=False), name="postings_about_a_posting"),
            # loyalty.services: points of an order
            models.Index(fields=["order"], condition=Q(order__isnull=False), name="postings_of_an_order"),
            # loyalty.selectors.tier_values: what an account earned within a window, without a visit to the table
            models.Index(
                fields=["account", "at"],
                include=["points", "pending_points"],
                condition=Q(kind__in=["earn", "reverse"]),
                name="points_earned_by_time",
            ),
            # loyalty.selectors.postings: those of some days. It costs a posting next to nothing.
            BrinIndex(
                OpClass("at", "timestamptz_minmax_multi_ops"),
                name="postings_by_time",
                pages_per_range=32,
                autosummarize=True,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.points} ({self.key})"


class Lot(models.Model):
    """Points that came together: usable while active_at ≤ now < expires_at. Only what is left of it changes."""

    class State(models.TextChoices):
        """As far as posted; readers go by the times."""

        PENDING = "pending", _("Pending")
        ACTIVE = "active", _("Active")
        EMPTY = "empty", _("Used")

    account = models.ForeignKey(Account, models.PROTECT, related_name="lots", db_index=False)
    posting = models.ForeignKey(Posting, models.PROTECT, related_name="lots")
    points = models.BigIntegerField()
    points_left = models.BigIntegerField()
    state = models.CharField(max_length=7, choices=State)
    earned_at = models.DateTimeField()
    active_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)  # never

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(points_left__gte=0, points_left__lte=F("points")), name="a_lot_holds_no_more_than_came"
            ),
            models.CheckConstraint(condition=Q(points__gt=0), name="a_lot_has_points"),
            models.CheckConstraint(
                condition=Q(state="empty", points_left=0) | Q(state__in=["pending", "active"], points_left__gt=0),
                name="an_empty_lot_is_called_empty",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(expires_at__gt=F("active_at")),
                name="a_lot_is_active_before_it_expires",
            ),
        ]
        indexes: ClassVar = [
            # loyalty.ledger: what can be spent, soonest-expiring first, then oldest
            models.Index(
                fields=["account", "expires_at", "earned_at", "id"], condition=~Q(state="empty"), name="lots_to_spend"
            ),
        ]

    def __str__(self) -> str:
        return f"Lot {self.pk}: {self.points_left} of {self.points}"


class Allocation(models.Model):
    """What a posting took out of a lot; below zero: what it put back. It does both when what comes back is owed."""

    posting = models.ForeignKey(Posting, models.PROTECT, related_name="allocations")
    lot = models.ForeignKey(Lot, models.PROTECT, related_name="allocations")
    points = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(points=0), name="an_allocation_has_points"),
        ]

    def __str__(self) -> str:
        return f"{self.points} of lot {self.lot_id}"


class Hold(models.Model):
    """Points put aside for somebody who is about to redeem them, until then and no longer."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        COMMITTED = "committed", _("Redeemed")
        RELEASED = "released", _("Released")

    account = models.ForeignKey(Account, models.PROTECT, related_name="holds", db_index=False)
    posting = models.OneToOneField(Posting, models.PROTECT, related_name="hold")
    points = models.BigIntegerField()
    until = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    closed_by = models.OneToOneField(Posting, models.PROTECT, null=True, related_name="closes")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(points__gt=0), name="a_hold_has_points"),
            models.CheckConstraint(
                condition=Q(state="open", closed_by__isnull=True)
                | Q(state__in=["committed", "released"], closed_by__isnull=False),
                name="a_hold_ends_by_a_posting",
            ),
        ]
        indexes: ClassVar = [
            # loyalty.ledger: holds of an account that ran out; loyalty.services.points: all that ran out
            models.Index(fields=["account", "until"], condition=Q(state="open"), name="open_holds_of_an_account"),
            models.Index(fields=["until"], condition=Q(state="open"), name="open_holds_by_time"),
        ]

    def __str__(self) -> str:
        return f"Hold {self.pk}: {self.points} points"
