"""What staff tell the till: what is bought, and what the customer wants for her points."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import money
from core.models import Business
from customers.forms.fields import AmountField
from customers.models import Product
from loyalty.baskets import BadBasket, BasketLine
from loyalty.models.reward import MOST_POINTS
from loyalty.selectors import basket_lines
from loyalty.selectors.basket_lines import Item

MOST_ITEMS: Final = 100
TOKEN: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
ITEM: Final = re.compile(r"(?P<sku>.*?)(?:\s+[x×*]?\s*(?P<quantity>-?[0-9]{1,9}(?:[.,][0-9]{1,3})?))?\s*", re.ASCII)
WHATEVER: Final = "amount"  # stands for goods that nobody named


class BasketForm(forms.Form):
    """An amount, or the goods by their SKUs; nothing is a basket that is not there yet."""

    amount = AmountField(label=gettext_lazy("Amount of the purchase"), required=False)
    items = forms.CharField(
        label=gettext_lazy("Or the goods"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
        help_text=gettext_lazy("One SKU on a line, with the quantity behind it if it is not 1."),
    )

    def __init__(self, *args: Any, business: Business, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.business = business
        amount = self.fields["amount"]
        amount.currency, amount.places = business.currency, money.exponent(business.currency)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        named = [line for line in cleaned.get("items", "").splitlines() if line.strip()][: MOST_ITEMS + 1]
        amount: Decimal | None = cleaned.get("amount")
        field = "items" if named else "amount"
        try:
            cleaned["lines"] = self._lines(named, amount)
        except BadBasket as error:
            self.add_error(field, str(error))
        return cleaned

    def _lines(self, named: Sequence[str], amount: Decimal | None) -> list[BasketLine]:
        if len(named) > MOST_ITEMS:
            raise BadBasket(_("At most %(most)s lines.") % {"most": MOST_ITEMS})
        whole = set(Product.objects.filter(sku__in=[line.strip() for line in named]).values_list("sku", flat=True))
        items = [item(line, whole=line.strip() in whole) for line in named]
        if not items and amount:
            items = [Item(sku=WHATEVER, quantity=Decimal(1), unit_price=amount)]
        return basket_lines.read(items, business=self.business) if items else []

    @property
    def lines(self) -> list[BasketLine]:
        """Empty until something valid was told."""
        found: list[BasketLine] = self.cleaned_data.get("lines", []) if self.is_valid() else []
        return found


def item(line: str, *, whole: bool = False) -> Item:
    """`MUG-1 2` and `MUG-1 x 2` are two mugs, `MUG-1` is one, and so is `TEA 7` where the whole line is a SKU."""
    found = None if whole else ITEM.fullmatch(line.strip())
    sku, quantity = (found["sku"], found["quantity"]) if found else (line.strip(), None)
    return Item(sku=sku, quantity=Decimal((quantity or "1").replace(",", ".")))


class RedeemForm(forms.Form):
    """So many points, or a reward; `token` makes pressing the button twice one redemption."""

    points = forms.IntegerField(label=gettext_lazy("Points"), required=False, min_value=1, max_value=MOST_POINTS)
    reward = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and (cleaned["points"] is None) == (cleaned["reward"] is None):
            raise ValidationError(_("Say how many points, or choose a reward."))
        return cleaned


class ConfirmedForm(RedeemForm):
    points = forms.IntegerField(required=False, min_value=1, max_value=MOST_POINTS, widget=forms.HiddenInput)
    token = forms.CharField(widget=forms.HiddenInput)

    def clean_token(self) -> str:
        token: str = self.cleaned_data["token"]
        if not TOKEN.fullmatch(token):
            raise ValidationError(_("This form is not ours. Start again."))
        return token
