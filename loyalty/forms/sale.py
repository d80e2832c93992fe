"""What is bought at the till: rows of goods or a plain amount, codes, points, and the receipt.

The rows stand in the address as repeated `sku`, `quantity` and `price`, so that the page can be gone back to and
nothing of it is lost when something is refused. Each row says what is wrong with it.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet, Value
from django.http import QueryDict
from django.urls import reverse_lazy
from django.utils import formats
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import money
from core.models import Business
from customers.forms.fields import AmountField, cents
from customers.models import Product
from customers.selectors import products as catalogue
from loyalty import naming
from loyalty.baskets import LARGEST_CENTS, BadBasket, BasketLine
from loyalty.forms.till import receipt_field
from loyalty.models.reward import MOST_POINTS
from loyalty.selectors import basket_lines, prices
from loyalty.selectors.basket_lines import Item
from loyalty.selectors.prices import Price

MOST_ROWS: Final = 50
MOST_CODES: Final = 10
SPARE_ROWS: Final = 2
MOST_QUANTITY: Final = 99_999
NAMED: Final = 3  # products in a refusal
WHATEVER: Final = "amount"  # stands for goods that nobody named
COLUMNS: Final = ("sku", "quantity", "price")


class RowForm(forms.Form):
    """One line. `found` is its product and `price_found` what one piece costs this customer, once known."""

    sku = forms.CharField(
        label=gettext_lazy("Product"),
        required=False,
        max_length=200,
        widget=forms.TextInput(
            attrs={
                "list": "products",
                "autocomplete": "off",
                "spellcheck": "false",
                "hx-get": reverse_lazy("customers:product_options"),
                "hx-trigger": "input changed delay:200ms",
                "hx-target": "#products",
            }
        ),
    )
    quantity = AmountField(label=gettext_lazy("Quantity"), required=False, places=3, negative=True)
    price = AmountField(label=gettext_lazy("Price of one"), required=False)

    def __init__(self, data: dict[str, str] | None, *, number: int, currency: str) -> None:
        super().__init__(data, auto_id=f"row{number}_%s")
        price: Any = self.fields["price"]
        price.currency = currency
        self.found: Product | None = None
        self.price_found: Price | None = None
        self.line: BasketLine | None = None

    @property
    def text(self) -> str:
        return str(self.cleaned_data.get("sku", "")).strip()

    def clean_sku(self) -> str:
        text: str = self.cleaned_data["sku"].strip()
        if not text:
            raise ValidationError(_("Say which product, or empty the row."))
        return text

    def clean_quantity(self) -> Decimal:
        quantity: Decimal | None = self.cleaned_data["quantity"]
        if quantity is None:
            return Decimal(1)
        if quantity <= 0:
            raise ValidationError(_("The quantity has to be more than zero."))
        if quantity > MOST_QUANTITY:
            most = formats.number_format(MOST_QUANTITY, force_grouping=True)
            raise ValidationError(_("At most %(most)s of one thing.") % {"most": most})
        return quantity

    def by_name(self) -> QuerySet[Product]:
        """With a price of its own it may be anything, so that only the whole name is a product's then."""
        text = self.text
        if self.cleaned_data["price"] is None:
            return catalogue.search(text)
        return Product.objects.filter(Q(name__iexact=text) | Q(sku__iexact=text))

    def know(self, products: Sequence[Product]) -> None:
        """Which of them it is, or that it may be several, or that nobody knows it and it has no price either."""
        try:
            self.found = _meant(self.text, products)
        except ValidationError as error:
            self.add_error("sku", error)
            return
        if self.found is None and self.cleaned_data["price"] is None:
            said = _("There is no product “%(text)s”. Give it a price to sell it all the same.")
            self.add_error("sku", said % {"text": self.text[:60]})

    def cost(self, price: Price | None) -> None:
        """Show what it costs her in the field that is empty otherwise."""
        self.price_found, field = price, self.fields["price"]
        if price is not None and price.unit_price is not None:
            field.widget.attrs["placeholder"] = field.prepare_value(price.unit_price)

    def item(self) -> Item:
        """Call it when the row is valid."""
        own, price = self.cleaned_data["price"], self.price_found
        sku = self.found.sku if self.found else self.text
        unit_price = own if own is not None else price.unit_price if price else None
        return Item(sku=sku, quantity=self.cleaned_data["quantity"], unit_price=unit_price)


class SaleForm(forms.Form):
    """`rows` are the goods, `spare` empty rows below; `lines` is what all comes to, empty until something is told."""

    amount = AmountField(label=gettext_lazy("Or only the amount"), required=False)
    shipping = AmountField(label=gettext_lazy("Shipping"), required=False)
    points = forms.IntegerField(
        label=naming.later(gettext_lazy("%(Points)s to redeem")), required=False, min_value=1, max_value=MOST_POINTS
    )
    receipt = receipt_field(naming.later(gettext_lazy("When that order comes back, so do its codes and %(points)s.")))

    def __init__(self, data: QueryDict | None, *, customer_id: int, business: Business, at: datetime) -> None:
        super().__init__(_with_all_points(data))
        self.customer_id, self.business, self.at = customer_id, business, at
        for name in ("amount", "shipping"):
            field: Any = self.fields[name]
            field.currency, field.places = business.currency, money.exponent(business.currency)
        told = [data.getlist(name)[:MOST_ROWS] for name in COLUMNS] if data is not None else [[], [], []]
        filled = [values for values in zip(*told, strict=False) if any(value.strip() for value in values)]
        self.rows = [self._row(number, values) for number, values in enumerate(filled, start=1)]
        after = len(filled) + 1
        spare = range(after, after + SPARE_ROWS)
        self.spare = [RowForm(None, number=number, currency=business.currency) for number in spare]

    def _row(self, number: int, values: Sequence[str]) -> RowForm:
        told = dict(zip(COLUMNS, (value.strip() for value in values), strict=True))
        return RowForm(told, number=number, currency=self.business.currency)

    @property
    def codes(self) -> list[str]:
        """What was entered as codes, each once."""
        told = self.data.getlist("code") if isinstance(self.data, QueryDict) else []
        return list(dict.fromkeys(text.strip() for text in told if text.strip()))[:MOST_CODES]

    @cached_property
    def lines(self) -> list[BasketLine]:
        lines: list[BasketLine] = self.cleaned_data.get("lines", []) if self.is_valid() else []
        return lines

    @property
    def items(self) -> list[Item]:
        """As they are to be told to offers: with the prices that were shown."""
        return [Item(sku=one.sku, quantity=one.quantity, unit_price=one.unit_price) for one in self.lines]

    @property
    def shipping_cents(self) -> int:
        return cents(self.cleaned_data.get("shipping"), self.business.currency) if self.is_valid() else 0

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if [row for row in self.rows if not row.is_valid()]:
            raise ValidationError(_("Look at the rows that are marked."))
        if cents(cleaned.get("shipping"), self.business.currency) >= LARGEST_CENTS:
            self.add_error("shipping", _("The amount is too large."))
        self._know()
        cleaned["lines"] = self._lines(cleaned.get("amount"))
        return cleaned

    def _know(self) -> None:
        """Products by SKU or name, and what each costs this customer."""
        known = _products([row.text for row in self.rows])
        others = [row for row in self.rows if row.text not in known]
        by_name = dict(zip(others, _first_of([row.by_name() for row in others]), strict=True))
        for row in self.rows:
            row.know(by_name[row] if row in by_name else [known[row.text]])
        skus = [row.found.sku if row.found else "" for row in self.rows]
        told = prices.price_for(self.customer_id, skus, at=self.at, business=self.business)
        for row, price in zip(self.rows, told, strict=True):
            row.cost(price if row.found else None)
        if any(row.errors for row in self.rows):
            raise ValidationError(_("Look at the rows that are marked."))

    def _lines(self, amount: Decimal | None) -> list[BasketLine]:
        items = [row.item() for row in self.rows]
        if not items and amount:
            items = [Item(sku=WHATEVER, quantity=Decimal(1), unit_price=amount)]
        try:
            lines = basket_lines.read(items, business=self.business) if items else []
        except BadBasket as problem:
            self._place(problem)
            return []
        for row, line in zip(self.rows, lines, strict=False):
            row.line = line
        return lines

    def _place(self, problem: BadBasket) -> None:
        """At its row, else at the amount, else above all."""
        if 0 < problem.position <= len(self.rows):
            self.rows[problem.position - 1].add_error("price", str(problem))
            raise ValidationError(_("Look at the rows that are marked."))
        self.add_error(None if self.rows else "amount", str(problem))


def _with_all_points(data: QueryDict | None) -> QueryDict | None:
    """The button that uses all points says how many they are."""
    if data is None or not data.get("all_points"):
        return data
    told = data.copy()
    told["points"] = str(told["all_points"])
    return told


def _products(texts: Sequence[str]) -> dict[str, Product]:
    """By their SKUs. One query."""
    return Product.objects.select_related("category").in_bulk(texts, field_name="sku")


def _first_of(searches: Sequence[QuerySet[Product]]) -> list[list[Product]]:
    """The first products of each search, by name. One query for all."""
    found: list[list[Product]] = [[] for _search in searches]
    parts = [
        search.select_related("category").annotate(place=Value(place)).order_by("name", "sku")[: NAMED + 1]
        for place, search in enumerate(searches)
    ]
    for product in parts[0].union(*parts[1:], all=True) if parts else ():
        found[product.place].append(product)
    return [sorted(products, key=lambda one: (one.name, one.sku)) for products in found]


def _meant(text: str, found: Sequence[Product]) -> Product | None:
    """Which of the products somebody means by the text. Raises ValidationError when it may be several."""
    same = [one for one in found if text.casefold() in (one.name.casefold(), one.sku.casefold())]
    if len(same) == 1 or len(found) == 1:
        return (same or found)[0]
    if found:
        names = ", ".join(f"{one.name} ({one.sku})" for one in found[:NAMED])
        raise ValidationError(_("“%(text)s” may be %(names)s. Write the SKU.") % {"text": text[:60], "names": names})
    return None
