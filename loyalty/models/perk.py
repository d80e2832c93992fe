"""What a tier brings beside its multiplier: events with places, and a gift on the birthday."""

from typing import ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from loyalty.models.code import Code
from loyalty.models.offer import Offer
from loyalty.models.tier import Tier

MOST_PLACES = 100_000


class Event(models.Model):
    """`taken` counts the places given away; the check below is what keeps it from being overbooked."""

    name = models.CharField(_("name"), max_length=120)
    place = models.CharField(_("place"), max_length=200, blank=True)
    about = models.TextField(_("description"), max_length=2000, blank=True)
    starts_at = models.DateTimeField(_("starts"))
    visible_from = models.DateTimeField(_("visible from"))  # tiers with early access see it some days before
    reply_by = models.DateTimeField(_("reply by"))
    tier = models.ForeignKey(
        Tier, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("from tier")
    )  # this one and those above; none: every member
    places = models.PositiveIntegerField(_("places"))
    taken = models.PositiveIntegerField(default=0, editable=False)
    cancelled_at = models.DateTimeField(null=True, blank=True, editable=False)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="an_event_has_a_name"),
            models.CheckConstraint(condition=Q(places__gte=1, places__lte=MOST_PLACES), name="an_event_has_places"),
            models.CheckConstraint(condition=Q(taken__lte=F("places")), name="an_event_is_never_overbooked"),
            models.CheckConstraint(condition=Q(reply_by__lte=F("starts_at")), name="replies_come_before_the_event"),
            models.CheckConstraint(
                condition=Q(visible_from__lt=F("reply_by")), name="an_event_is_seen_before_replies_end"
            ),
        ]
        indexes: ClassVar = [
            # loyalty.selectors.events: what is to come
            models.Index(fields=["starts_at"], name="events_by_start"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("loyalty:event_detail", args=[self.pk])

    @property
    def places_left(self) -> int:
        return self.places - self.taken


class Reply(models.Model):
    """What a customer answered. Who waits is served in the order of `since`."""

    class State(models.TextChoices):
        YES = "yes", _("Comes")
        WAITING = "waiting", _("On the waiting list")
        NO = "no", _("Does not come")

    event = models.ForeignKey(Event, models.CASCADE, related_name="replies")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=State)
    since = models.DateTimeField()  # of this state; who waits keeps her place in the queue

    class Meta:
        verbose_name = _("reply to an event")
        verbose_name_plural = _("replies to events")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "customer"], name="a_customer_replies_once"),
            models.CheckConstraint(condition=Q(state__in=["yes", "waiting", "no"]), name="a_reply_has_a_known_state"),
        ]
        indexes: ClassVar = [
            # loyalty.services.events: who waits longest
            models.Index(fields=["event", "since", "id"], condition=Q(state="waiting"), name="replies_that_wait"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.state}"


class BirthdayGift(models.Model):
    """A single row (id 1): what members get on their birthday: points, a code of an offer, or both."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    points = models.PositiveIntegerField(_("points on the birthday"), default=0)
    offer = models.ForeignKey(
        Offer, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("a code of the offer")
    )
    code_days = models.PositiveSmallIntegerField(
        _("days that the code is good for"), default=30, validators=[MinValueValidator(1)]
    )
    tier = models.ForeignKey(Tier, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("from tier"))

    class Meta:
        verbose_name = _("birthday gift")
        verbose_name_plural = _("birthday gifts")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="there_is_one_birthday_gift"),
            models.CheckConstraint(condition=Q(points__lte=10**9), name="a_birthday_gift_is_limited"),
            models.CheckConstraint(condition=Q(code_days__gte=1), name="a_code_for_the_birthday_lives_a_day"),
        ]

    def __str__(self) -> str:
        return "birthday gift"


class BirthdayGiven(models.Model):
    """A gift that was given: at most one in twelve months, whatever happens to the date of birth meanwhile."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+", db_index=False)
    given_on = models.DateField()
    points = models.PositiveIntegerField()
    code = models.OneToOneField(Code, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("code"))
    seen_at = models.DateTimeField(null=True, blank=True)  # on the customer's page

    class Meta:
        verbose_name = _("birthday gift that was given")
        verbose_name_plural = _("birthday gifts that were given")
        constraints: ClassVar = [
            # Also the index of loyalty.services.birthdays: the last gift of some customers.
            models.UniqueConstraint(fields=["customer", "given_on"], name="one_birthday_gift_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} on {self.given_on}"
