"""What people write about tiers: the rules, a tier by hand, and the gift on the birthday."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import money
from core.forms.guarded import Guarded
from customers.forms.fields import AmountField, cents
from loyalty import naming
from loyalty.models import BirthdayGift, Offer, Tier, TierPlan
from loyalty.models.tier import LONGEST_EARLY_DAYS, LONGEST_GRACE_DAYS, MOST_MULTIPLIER, MOST_THRESHOLD
from loyalty.selectors.offers import fit_to_give
from loyalty.services.tier_rules import Item, Proposal

MOST_TIERS: Final = 12
SPARE_ROWS: Final = 1
NUMBER: Final = {"inputmode": "numeric"}


class PlanForm(forms.ModelForm):  # type: ignore[type-arg]
    """`made_from` is the revision of the rules that the person has seen."""

    made_from = forms.IntegerField(widget=forms.HiddenInput)
    may_lower = forms.BooleanField(
        label=gettext_lazy("Also lower those who no longer reach their tier"),
        help_text=gettext_lazy("Otherwise everybody keeps their tier to the end of its period."),
        required=False,
    )

    class Meta:
        model = TierPlan
        fields = ("qualify_by", "window", "grace_days", "downgrade")
        labels = {
            "qualify_by": gettext_lazy("Reached by"),
            "window": gettext_lazy("Counted over"),
            "grace_days": gettext_lazy("Days of grace"),
            "downgrade": gettext_lazy("Who does not keep a tier goes"),
        }
        help_texts = {
            "grace_days": gettext_lazy("How long a tier is kept after the end of its period."),
        }
        widgets = {"grace_days": forms.NumberInput(attrs=NUMBER | {"min": 0, "max": LONGEST_GRACE_DAYS})}


class TierRow(forms.Form):
    """One tier; a row without a name is left out. `threshold` is in points, or in money as the plan says."""

    id = forms.IntegerField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=40, required=False)
    threshold = AmountField(label=gettext_lazy("From"), required=False)
    hue = forms.ChoiceField(label=gettext_lazy("Colour"), choices=Tier.Hue, required=False, initial=Tier.Hue.SILVER)
    multiplier = forms.DecimalField(
        label=naming.later(gettext_lazy("%(Points)s times")),
        required=False,
        min_value=Decimal("0.01"),
        max_value=MOST_MULTIPLIER,
        decimal_places=2,
        initial=Decimal(1),
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )
    early_days = forms.IntegerField(
        label=gettext_lazy("Days early"),
        required=False,
        min_value=0,
        max_value=LONGEST_EARLY_DAYS,
        initial=0,
        widget=forms.NumberInput(attrs=NUMBER),
    )
    benefits = forms.CharField(
        label=gettext_lazy("Benefits"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("In the words that customers read."),
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("name") and "threshold" not in self.errors and cleaned.get("threshold") is None:
            self.add_error("threshold", _("Say from how much on the tier is reached; 0 is everybody."))
        return cleaned

    def item(self, *, in_money: bool) -> Item | None:
        told = self.cleaned_data
        if not told.get("name") or told.get("DELETE"):
            return None
        amount: Decimal = told["threshold"]
        return Item(
            id=told["id"],
            name=told["name"].strip(),
            threshold=cents(amount, self.currency) if in_money else int(amount),
            hue=told["hue"] or Tier.Hue.SILVER,
            multiplier=told["multiplier"] or Decimal(1),
            early_days=told["early_days"] or 0,
            benefits=told["benefits"],
        )

    def refuse_threshold(self, *, in_money: bool) -> None:
        """What the plan's unit does not allow."""
        amount = self.cleaned_data.get("threshold")
        if amount is None:
            return
        if not in_money and amount % 1:
            self.add_error("threshold", naming.said(_("%(Points)s are whole numbers.")))
        elif amount.scaleb(money.exponent(self.currency) if in_money else 0) > MOST_THRESHOLD:
            self.add_error("threshold", _("The number is too large."))


class BaseTierRows(forms.BaseFormSet):  # type: ignore[type-arg]
    def items(self, *, in_money: bool) -> list[Item]:
        return [item for row in self.forms if (item := row.item(in_money=in_money)) is not None]

    def check(self, *, in_money: bool) -> bool:
        """After is_valid, when the unit is known."""
        for row in self.forms:
            row.refuse_threshold(in_money=in_money)
        return not any(row.errors for row in self.forms)


TierRows = forms.formset_factory(
    TierRow, formset=BaseTierRows, extra=SPARE_ROWS, max_num=MOST_TIERS, validate_max=True, can_delete=True
)


def rows_of(tiers: Sequence[Tier], *, in_money: bool, currency: str) -> list[dict[str, Any]]:
    """The tiers as the rows show them."""
    shown = AmountField(currency=currency) if in_money else AmountField()
    return [
        {
            **{name: getattr(tier, name) for name in ("id", "name", "hue", "multiplier", "early_days", "benefits")},
            "threshold": shown.prepare_value(
                money.major(tier.threshold, currency) if in_money else Decimal(tier.threshold)
            ),
        }
        for tier in tiers
    ]


def proposal(plan: PlanForm, rows: BaseTierRows) -> Proposal:
    told = plan.cleaned_data
    return Proposal(
        qualify_by=told["qualify_by"],
        window=told["window"],
        downgrade=told["downgrade"],
        grace_days=told["grace_days"],
        tiers=rows.items(in_money=told["qualify_by"] == TierPlan.By.MONEY),
    )


class HandForm(forms.Form):
    """A tier by hand."""

    tier = forms.ModelChoiceField(label=gettext_lazy("Tier"), queryset=Tier.objects.none(), empty_label=None)
    until = forms.DateField(
        label=gettext_lazy("Until"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("The last day. Afterwards the rules decide."),
    )
    note = forms.CharField(label=gettext_lazy("Reason"), max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tiers = Tier.objects.filter(retired_at=None).order_by("rank", "pk")
        self.fields["tier"].queryset = tiers  # type: ignore[attr-defined]


class BirthdayForm(Guarded, forms.ModelForm):  # type: ignore[type-arg]
    points = forms.IntegerField(
        label=naming.later(gettext_lazy("%(Points)s on the birthday")),
        min_value=0,
        max_value=10**9,
        help_text=gettext_lazy("0: nothing is given. At most once in twelve months."),
        widget=forms.NumberInput(attrs=NUMBER),
    )

    class Meta:
        model = BirthdayGift
        fields = ("points", "offer", "code_days", "tier")
        labels = {
            "tier": gettext_lazy("From tier"),
            "offer": gettext_lazy("And a code of the offer"),
            "code_days": gettext_lazy("Days that the code is good for"),
        }
        help_texts = {
            "offer": gettext_lazy(
                "Only offers without caps, budget, segments and tiers: what somebody got has to work."
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["tier"]
        field.queryset = Tier.objects.filter(retired_at=None).order_by("rank", "pk")  # type: ignore[attr-defined]
        field.empty_label = _("Every member")  # type: ignore[attr-defined]
        fit = Q(pk__in=fit_to_give().values("pk")) | Q(pk=self.instance.offer_id)
        self.fields["offer"].queryset = Offer.objects.filter(fit).order_by("name", "pk")  # type: ignore[attr-defined]
        self.fields["offer"].empty_label = _("None")  # type: ignore[attr-defined]
        self.fields["code_days"].required = False  # only an offer needs it

    def _post_clean(self) -> None:
        """Valid data is written by a service, not into the row that the form was made from."""


def nobody_in(names: Sequence[str]) -> str:
    """A warning about tiers that nobody reaches as things are; "" without any."""
    if not names:
        return ""
    return _("Nobody would be in %(tiers)s: no customer comes to so much.") % {"tiers": ", ".join(names)}


def not_a_tier() -> ValidationError:
    return ValidationError(_("Choose a day that is still to come, and say why."))
