"""The terms of referrals, a step of them, and why one is cancelled."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core import money
from core.forms.guarded import Guarded
from core.models import Business
from customers.forms.fields import AmountField, cents
from loyalty import naming
from loyalty.models import ReferralPlan
from loyalty.models.referral import MOST_DAYS, MOST_FRIENDS, MOST_POINTS

NUMBERS = ("advocate_points", "friend_points", "window_days", "pending_days", "most_friends")


class PlanForm(Guarded):
    advocate_points = forms.IntegerField(
        label=naming.later(_("%(Points)s for who recommends")),
        min_value=0,
        max_value=MOST_POINTS,
        help_text=_("For each friend."),
    )
    friend_points = forms.IntegerField(
        label=naming.later(_("%(Points)s for the friend")),
        min_value=0,
        max_value=MOST_POINTS,
        help_text=_("0: only one side gets some."),
    )
    least = AmountField(
        label=_("Smallest order"),
        required=False,
        help_text=_("What the friend's first order has to come to, after discounts."),
    )
    window_days = forms.IntegerField(label=_("Days in which the friend has to order"), min_value=1, max_value=MOST_DAYS)
    pending_days = forms.IntegerField(
        label=naming.later(_("Days until the %(points)s become active")),
        min_value=0,
        max_value=MOST_DAYS,
        help_text=naming.later(
            _("At least as long as goods may be returned: an order that comes back takes the %(points)s along.")
        ),
    )
    most_friends = forms.IntegerField(
        label=_("Friends of one person at most"),
        min_value=1,
        max_value=MOST_FRIENDS,
        required=False,
        help_text=_("Empty: as many as they like."),
    )
    is_open = forms.BooleanField(label=_("Customers can refer friends"), required=False)

    def __init__(self, *args: Any, plan: ReferralPlan, business: Business, **options: Any) -> None:
        self.business = business
        least = money.major(plan.least_cents, business.currency)
        initial = {name: getattr(plan, name) for name in NUMBERS} | {"least": least, "is_open": plan.is_open}
        super().__init__(*args, initial=initial, **options)
        amount: Any = self.fields["least"]
        amount.currency, amount.places = business.currency, money.exponent(business.currency)

    def clean_least(self) -> int:
        return cents(self.cleaned_data["least"], self.business.currency)


class StepForm(forms.Form):
    friends = forms.IntegerField(label=_("Friends"), min_value=1, max_value=MOST_FRIENDS)
    points = forms.IntegerField(label=naming.later(_("More %(points)s")), min_value=1, max_value=MOST_POINTS)


class CancelForm(forms.Form):
    note = forms.CharField(
        label=_("Reason"),
        max_length=300,
        help_text=_("For colleagues. Neither of the two is told."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
