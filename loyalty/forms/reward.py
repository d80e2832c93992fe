"""A reward as people write it, the codes of its pool, and why a redemption is cancelled."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import money
from core.forms.guarded import Guarded
from core.models import Business
from customers.forms.fields import AmountField, cents
from customers.models import Product
from loyalty import naming
from loyalty.models import Offer, Reward, Tier
from loyalty.models.reward import LONGEST_TRIAL_DAYS, MOST_POINTS
from loyalty.selectors.offers import fit_to_give
from loyalty.services.shelf import LONGEST_CODE, MOST_CODES, Item

MOST_PIECES: Final = 10**9
LARGEST_CENTS: Final = 10**12
MOST_CODE_DAYS: Final = 3_650
FIRST_YEAR, LAST_YEAR = 1900, 2199
LOCAL: Final = "%Y-%m-%dT%H:%M"
TIER: Final = "tier_"


def points_field(label: Any, **options: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, min_value=1, max_value=MOST_POINTS, widget=forms.NumberInput(attrs={"step": 1}), **options
    )


def days_field(label: Any, **options: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=1, max_value=MOST_CODE_DAYS, **options)


def moment_field(label: Any) -> forms.DateTimeField:
    """A time in the zone of the business, to the minute."""
    field = forms.DateTimeField(
        label=label,
        required=False,
        input_formats=[LOCAL, "%Y-%m-%dT%H:%M:%S"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL),
    )
    field.validators.append(_within)
    return field


def _within(at: datetime) -> None:
    if not FIRST_YEAR < at.year < LAST_YEAR:
        raise ValidationError(_("Write a year between 1901 and 2198."))


class RewardForm(Guarded):
    """Fields that the kind does not have are left alone. `tiers` get a price each, empty for the reward's own."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    description = forms.CharField(
        label=gettext_lazy("Description"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("What customers read: what it is, and how they get it."),
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"), choices=Reward.Kind.choices, widget=forms.RadioSelect, initial=Reward.Kind.PRODUCT
    )
    cost_points = points_field(naming.later(gettext_lazy("Price in %(points)s")))
    money_off = AmountField(
        label=gettext_lazy("Money off"), required=False, help_text=gettext_lazy("What it takes off a bill.")
    )
    trial_days = forms.IntegerField(
        label=gettext_lazy("Days of the trial"), required=False, min_value=1, max_value=LONGEST_TRIAL_DAYS
    )
    product = forms.CharField(
        label=gettext_lazy("SKU"),
        required=False,
        max_length=100,
        help_text=gettext_lazy("Of a product of the catalogue, if it is one."),
    )
    offer = forms.ModelChoiceField(
        label=gettext_lazy("Codes of the offer"),
        required=False,
        queryset=Offer.objects.none(),
        empty_label=gettext_lazy("None: I fill a pool with codes"),
        help_text=naming.later(
            gettext_lazy(
                "Who redeems gets a code of her own, for one use. "
                "Only offers without caps, budget, segments and tiers: what was paid with %(points)s has to work."
            )
        ),
    )
    code_days = days_field(
        gettext_lazy("Days that a code is good for"), help_text=gettext_lazy("Empty: as long as the offer.")
    )
    stock = forms.IntegerField(
        label=gettext_lazy("Pieces left"),
        required=False,
        min_value=0,
        max_value=MOST_PIECES,
        help_text=gettext_lazy("Empty: as many as anybody wants."),
    )
    cap = forms.IntegerField(
        label=gettext_lazy("Most for one customer"),
        required=False,
        min_value=1,
        max_value=MOST_PIECES,
        help_text=gettext_lazy("Empty: no limit."),
    )
    cap_period = forms.ChoiceField(
        label=gettext_lazy("The most counts for"), choices=Reward.Period.choices, initial=Reward.Period.EVER
    )
    visible_from = moment_field(gettext_lazy("Offered from"))
    visible_until = moment_field(gettext_lazy("Offered until"))

    def __init__(self, *args: Any, business: Business, tiers: Sequence[Tier], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency, self.tiers = business.currency, tiers
        amount = self.fields["money_off"]
        amount.currency, amount.places = business.currency, money.exponent(business.currency)  # type: ignore[attr-defined]
        fit = Q(pk__in=fit_to_give().values("pk")) | Q(pk=self.initial.get("offer"))
        self.fields["offer"].queryset = Offer.objects.filter(fit).order_by("name", "pk")  # type: ignore[attr-defined]
        for tier in tiers:
            self.fields[f"{TIER}{tier.pk}"] = points_field(tier.name, required=False)

    @property
    def tier_fields(self) -> list[forms.BoundField]:
        return [self[f"{TIER}{tier.pk}"] for tier in self.tiers]

    def clean_product(self) -> Product | None:
        sku = self.cleaned_data["product"]
        found = Product.objects.filter(sku=sku).first() if sku else None
        if sku and found is None:
            raise ValidationError(_("There is no product with the SKU “%(sku)s”.") % {"sku": sku})
        return found

    def clean_money_off(self) -> int | None:
        amount = self.cleaned_data["money_off"]
        told = None if amount is None else cents(amount, self.currency)
        if told is not None and not 0 < told < LARGEST_CENTS:
            raise ValidationError(_("Write an amount above zero."))
        return told

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        needed = {Reward.Kind.MONEY: "money_off", Reward.Kind.TRIAL: "trial_days"}.get(cleaned.get("kind", ""))
        if needed and needed not in self.errors and not cleaned.get(needed):
            self.add_error(needed, _("This kind of reward needs it."))
        begin, end = cleaned.get("visible_from"), cleaned.get("visible_until")
        if begin and end and end <= begin:
            self.add_error("visible_until", _("It is offered until a time after the first."))
        return cleaned

    def item(self) -> Item:
        """Call it when valid."""
        told = self.cleaned_data
        same = ("name", "description", "kind", "cost_points", "trial_days", "product", "stock", "cap", "cap_period")
        return Item(
            **{name: told[name] for name in (*same, "offer", "code_days", "visible_from", "visible_until")},
            money_off_cents=told["money_off"],
        )

    def prices(self) -> dict[int, int]:
        """Points by tier. Call it when valid."""
        told = {tier.pk: self.cleaned_data[f"{TIER}{tier.pk}"] for tier in self.tiers}
        return {pk: points for pk, points in told.items() if points is not None}


def initial(reward: Reward, *, currency: str) -> dict[str, Any]:
    """The record's values as the form's."""
    same = ("name", "description", "kind", "cost_points", "trial_days", "code_days", "stock", "cap", "cap_period")
    off = reward.money_off_cents
    return {
        **{name: getattr(reward, name) for name in (*same, "visible_from", "visible_until")},
        **{f"{TIER}{price.tier_id}": price.cost_points for price in reward.prices.all()},
        "money_off": None if off is None else money.major(off, currency),
        "product": reward.product.sku if reward.product else "",
        "offer": reward.offer_id,
    }


class PoolForm(forms.Form):
    codes = forms.CharField(
        label=gettext_lazy("Codes"),
        max_length=MOST_CODES * (LONGEST_CODE + 1),
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "autocomplete": "off"}),
        help_text=gettext_lazy("One on a line, as your shop knows them."),
    )

    def clean_codes(self) -> list[str]:
        found = [line.strip() for line in self.cleaned_data["codes"].splitlines() if line.strip()]
        if len(found) > MOST_CODES:
            raise ValidationError(_("At most %(most)s codes at once.") % {"most": MOST_CODES})
        long = next((text for text in found if len(text) > LONGEST_CODE), None)
        if long is not None:
            raise ValidationError(_("“%(code)s…” is too long for a code.") % {"code": long[:20]})
        return found


class CancelForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=200)
