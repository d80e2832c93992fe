"""Referrals: the codes of advocates, the friends who came by them, and what both get for it."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from loyalty import codes

MOST_POINTS = 10**9
MOST_CENTS = 10**12
MOST_DAYS = 3650
MOST_FRIENDS = 100_000


class ReferralPlan(models.Model):
    """A single row (id 1). Codes work from `opened_at` on; NULL: nobody can refer."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    opened_at = models.DateTimeField(_("switched on"), null=True, blank=True)
    advocate_points = models.PositiveBigIntegerField(
        _("points for who recommends"), default=500, validators=[MaxValueValidator(MOST_POINTS)]
    )
    friend_points = models.PositiveBigIntegerField(
        _("points for the friend"), default=500, validators=[MaxValueValidator(MOST_POINTS)]
    )
    # What the friend's first order has to come to, after discounts, net of what came back.
    least_cents = models.PositiveBigIntegerField(
        _("smallest order"), default=0, validators=[MaxValueValidator(MOST_CENTS)]
    )
    window_days = models.PositiveSmallIntegerField(
        _("days in which the friend has to order"),
        default=90,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)],
    )
    pending_days = models.PositiveSmallIntegerField(
        _("days until the points become active"), default=30, validators=[MaxValueValidator(MOST_DAYS)]
    )
    most_friends = models.PositiveIntegerField(
        _("friends of one person at most"),
        null=True,
        blank=True,
        default=50,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_FRIENDS)],
    )

    class Meta:
        verbose_name = _("referral plan")
        verbose_name_plural = _("referral plans")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="there_is_one_referral_plan"),
            models.CheckConstraint(
                condition=Q(advocate_points__lte=MOST_POINTS, friend_points__lte=MOST_POINTS),
                name="a_referral_is_worth_so_much_at_most",
            ),
            models.CheckConstraint(
                condition=Q(window_days__gte=1, window_days__lte=MOST_DAYS, pending_days__lte=MOST_DAYS),
                name="a_referral_has_its_days",
            ),
            models.CheckConstraint(condition=Q(most_friends__gte=1), name="a_person_may_refer_somebody"),
        ]

    def __str__(self) -> str:
        return f"{self.advocate_points} and {self.friend_points}"

    @property
    def is_open(self) -> bool:
        return self.opened_at is not None


class ReferralStep(models.Model):
    """More points once so many friends have brought theirs."""

    friends = models.PositiveIntegerField(
        _("friends"), unique=True, validators=[MinValueValidator(1), MaxValueValidator(MOST_FRIENDS)]
    )
    points = models.PositiveBigIntegerField(
        _("points"), validators=[MinValueValidator(1), MaxValueValidator(MOST_POINTS)]
    )

    class Meta:
        verbose_name = _("step of referrals")
        verbose_name_plural = _("steps of referrals")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(friends__gte=1, points__gte=1, points__lte=MOST_POINTS), name="a_step_of_referrals_counts"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.friends}: {self.points}"


class ReferralCode(models.Model):
    """A customer's personal code, which is also the end of their link (`/r/CODE`)."""

    customer = models.OneToOneField(Customer, models.PROTECT, related_name="referral_code", verbose_name=_("customer"))
    code = models.CharField(_("code"), max_length=codes.LENGTH, unique=True)  # as loyalty.codes.normalise leaves it
    starts_at = models.DateTimeField(_("works from"))
    ends_at = models.DateTimeField(_("works until"), null=True, blank=True)
    max_uses = models.PositiveIntegerField(_("friends at most"), null=True, blank=True)  # NULL: as the plan says

    class Meta:
        verbose_name = _("referral code")
        verbose_name_plural = _("referral codes")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(code__regex=r"^[0-9A-HJKMNP-Z]+$"), name="a_referral_code_has_no_look_alikes"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="a_referral_code_ends_after_it_begins"
            ),
        ]

    def __str__(self) -> str:
        return codes.shown(self.code)


class Referral(models.Model):
    """One friend of one advocate, from the claim of the code to the points, or to the reason why there are none."""

    class State(models.TextChoices):
        PENDING = "pending", _("Waits for the first order")
        HELD = "held", _("To be looked at")
        CONVERTED = "converted", _("Has ordered: the return window runs")
        REWARDED = "rewarded", _("Rewarded")
        EXPIRED = "expired", _("No order in time")
        REFUSED = "refused", _("Not a new customer")
        REVERSED = "reversed", _("The order came back")
        CANCELLED = "cancelled", _("Cancelled")

    class Reason(models.TextChoices):
        """Why a person has to look at it."""

        SIMILAR_EMAIL = "similar_email", _("Their e-mail addresses differ only by dots or a plus sign")
        SAME_PHONE = "same_phone", _("Both have the same phone number")
        SAME_ADDRESS = "same_address", _("Both have the same postal address")
        FRIENDS_ADDRESS = "friends_address", _("Another friend of theirs has the same postal address")
        KNOWN_ADDRESS = "known_address", _("Somebody at the same postal address has bought before")
        MANY_FROM_IP = "many_from_ip", _("Many claims came from the same internet address")

    code = models.ForeignKey(ReferralCode, models.PROTECT, related_name="referrals", db_index=False)
    advocate = models.ForeignKey(Customer, models.PROTECT, related_name="referrals")
    friend = models.OneToOneField(Customer, models.PROTECT, related_name="referred_by")  # one referrer per friend
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    reasons = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    claimed_at = models.DateTimeField()
    caller = models.CharField(max_length=64, blank=True)  # keyed hash of the internet address, to count claims by it
    order_id = models.BigIntegerField(null=True)  # the friend's order that counted; orders may be taken back
    converted_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)  # when the points become active
    advocate_points = models.PositiveBigIntegerField(default=0)  # as promised when the friend ordered
    friend_points = models.PositiveBigIntegerField(default=0)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("referral")
        verbose_name_plural = _("referrals")
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(advocate=F("friend")), name="nobody_refers_themselves"),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        *("pending", "held", "converted", "rewarded", "expired", "refused", "reversed", "cancelled")
                    ]
                ),
                name="a_referral_has_a_known_state",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["converted", "rewarded", "reversed"])
                | Q(order_id__isnull=False, converted_at__isnull=False, due_at__isnull=False),
                name="a_referral_pays_for_an_order",
            ),
            models.CheckConstraint(
                condition=~Q(state="held") | Q(reasons__len__gte=1), name="a_held_referral_says_why"
            ),
        ]
        indexes: ClassVar = [
            # loyalty.services.referrals: those whose time has come
            models.Index(fields=["due_at"], condition=Q(state="converted"), name="referrals_that_become_due"),
            models.Index(fields=["claimed_at"], condition=Q(state="pending"), name="referrals_that_wait"),
            # loyalty.selectors.referrals: what a person has to look at
            models.Index(fields=["claimed_at"], condition=Q(state="held"), name="referrals_to_be_looked_at"),
            # loyalty.services.referrals: claims from one internet address
            models.Index(fields=["caller", "claimed_at"], condition=~Q(caller=""), name="referrals_by_caller"),
        ]

    def __str__(self) -> str:
        return f"{self.friend_id} by {self.advocate_id}"


class ReferralInvite(models.Model):
    """Somebody who opened a friend's link and typed an address: the claim waits until the address has answered."""

    code = models.ForeignKey(ReferralCode, models.CASCADE, related_name="invites", db_index=False)
    address = models.EmailField()
    name = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=8)
    digest = models.CharField(max_length=64, blank=True)  # SHA-256 of the token in the mail; empty: not mailed yet
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("invitation by a friend")
        verbose_name_plural = _("invitations by friends")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["digest"], condition=~Q(digest=""), name="one_invitation_per_token"),
            models.CheckConstraint(
                condition=Q(digest="") | Q(digest__regex="^[0-9a-f]{64}$"), name="an_invitation_keeps_a_digest"
            ),
        ]
        indexes: ClassVar = [
            # loyalty.services.invites: those to be mailed, and old ones
            models.Index(fields=["made_at"], name="invitations_by_time"),
        ]

    def __str__(self) -> str:
        return f"invitation {self.pk}"
