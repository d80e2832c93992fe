"""An order and its lines as people edit them, and what comes back of it."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import money
from core.forms.guarded import Guarded
from core.models import Business
from customers.forms.company import DateInput
from customers.forms.fields import AmountField, cents
from customers.models import Order, OrderLine, Product
from customers.services.corrections import Corrected, Line, price_of

PREFIX: Final = "lines"
MOST_LINES: Final = 200
EMPTY_ROWS: Final = 2
ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def new_number(letter: str) -> str:
    """A number that nobody has, easy to read out: `H-7KQ2M9XA`."""
    return f"{letter}-" + "".join(secrets.choice(ALPHABET) for _ in range(8))


class OrderForm(Guarded):
    placed_on = forms.DateField(label=gettext_lazy("Date"), widget=DateInput())
    placed_time = forms.TimeField(
        label=gettext_lazy("Time"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    status = forms.ChoiceField(label=gettext_lazy("Status"), choices=Order.Status.choices, initial=Order.Status.PAID)
    channel = forms.CharField(label=gettext_lazy("Channel"), required=False, max_length=60)
    tax = AmountField(label=gettext_lazy("Tax"), required=False)
    shipping = AmountField(label=gettext_lazy("Shipping"), required=False)

    def __init__(self, *args: Any, business: Business, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.business = business
        for name in ("tax", "shipping"):
            field = self.fields[name]
            field.currency, field.places = business.currency, money.exponent(business.currency)  # type: ignore[attr-defined]

    def told(self, lines: Sequence[Line]) -> Corrected:
        """What the order is to be. Without a time the day is all that is known."""
        told = self.cleaned_data
        at = datetime.combine(told["placed_on"], told["placed_time"] or time(0), self.business.zone)
        return Corrected(
            placed_at=at,
            date_only=told["placed_time"] is None,
            lines=lines,
            status=told["status"],
            channel=told["channel"],
            tax_cents=cents(told["tax"], self.business.currency),
            shipping_cents=cents(told["shipping"], self.business.currency),
        )


class NewOrderForm(OrderForm):
    number = forms.CharField(label=gettext_lazy("Order number"), max_length=60)
    field_order = ("number",)


def initial(order: Order, *, business: Business) -> dict[str, Any]:
    """The order's values as the form's."""
    at = order.placed_at.astimezone(business.zone)
    return {
        "placed_on": at.date(),
        "placed_time": None if order.date_only else at.time().replace(second=0, microsecond=0),
        "status": order.status,
        "channel": order.channel,
        "tax": money.major(order.tax_cents, business.currency) if order.tax_cents else None,
        "shipping": money.major(order.shipping_cents, business.currency) if order.shipping_cents else None,
    }


def new_initial(today: date) -> dict[str, Any]:
    return {"placed_on": today, "status": Order.Status.PAID, "number": new_number("H")}


class LineForm(forms.Form):
    position = forms.IntegerField(widget=forms.HiddenInput, required=False)
    sku = forms.CharField(
        label=gettext_lazy("Product"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"list": "products", "autocomplete": "off"}),
    )
    quantity = AmountField(label=gettext_lazy("Quantity"), required=False, places=3)
    unit_price = AmountField(label=gettext_lazy("Unit price"), required=False, negative=True)
    discount = AmountField(label=gettext_lazy("Discount"), required=False)
    product: Product | None = None
    old: OrderLine | None = None

    @property
    def is_blank(self) -> bool:
        return not any(self.cleaned_data.get(name) for name in ("sku", "quantity", "unit_price", "discount"))


class BaseLines(forms.BaseFormSet):  # type: ignore[type-arg]
    """The lines of an order. A row that is emptied goes."""

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        self.currency = currency
        super().__init__(*args, **kwargs | {"prefix": PREFIX})

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["unit_price"].currency = self.currency
        form.fields["discount"].currency = self.currency
        form.fields["discount"].places = money.exponent(self.currency)

    def clean(self) -> None:
        """Find the products, all at once."""
        rows = list(self.filled())
        skus = {str(form.cleaned_data["sku"]).strip() for form in rows}
        found = Product.objects.select_related("category").filter(sku__in=skus)
        products = {product.sku: product for product in found}
        for form in rows:
            self._check(form, products)
        if not rows and not any(self.errors):
            raise forms.ValidationError(_("An order has at least one line."))

    def filled(self) -> Iterator[LineForm]:
        for form in self.forms:
            told = getattr(form, "cleaned_data", None)
            if told is not None and not told.get("DELETE") and not form.is_blank:
                yield form

    def _check(self, form: LineForm, products: Mapping[str, Product]) -> None:
        told = form.cleaned_data
        form.product = products.get(str(told.get("sku", "")).strip())
        if form.product is None:
            form.add_error("sku", _("There is no product with this SKU. Add it first."))
            return
        if not told.get("quantity") and "quantity" not in form.errors:
            form.add_error("quantity", _("How many?"))
        if told.get("unit_price") is None and "unit_price" not in form.errors:
            if form.product.unit_price is None:
                form.add_error("unit_price", _("The product has no list price: write one."))
            else:
                told["unit_price"] = form.product.unit_price

    def lines(self) -> list[Line]:
        """Call it when valid."""
        return [
            Line(
                product=form.product,  # type: ignore[arg-type]  # checked in clean
                quantity=form.cleaned_data["quantity"],
                unit_price=form.cleaned_data["unit_price"],
                discount_cents=cents(form.cleaned_data["discount"], self.currency),
                position=form.cleaned_data["position"],
            )
            for form in self.filled()
        ]

    def texts(self) -> list[str]:
        """The lines as posted, to tell whether two people changed them."""
        return [
            " ".join(str(form[name].value() or "").strip() for name in ("quantity", "sku", "unit_price", "discount"))
            for form in self.forms
            if (form["sku"].value() or form["quantity"].value()) and not form["DELETE"].value()
        ]


def line_set(data: QueryDict | None, *, currency: str, lines: Sequence[OrderLine] = (), more: int = 0) -> BaseLines:
    """The rows of an order's lines and some empty ones; with `data`, `more` rows beyond those that were sent."""
    factory = forms.formset_factory(
        LineForm, formset=BaseLines, extra=EMPTY_ROWS, can_delete=True, max_num=MOST_LINES, absolute_max=MOST_LINES
    )
    if data is not None and more:
        data = data.copy()
        data[f"{PREFIX}-TOTAL_FORMS"] = str(min(_number(data.get(f"{PREFIX}-TOTAL_FORMS")) + more, MOST_LINES))
    rows: BaseLines = factory(data, initial=[_values(line, currency) for line in lines], currency=currency)  # type: ignore[assignment, call-arg]
    return rows


def as_posted(rows: BaseLines, *, currency: str) -> BaseLines:
    """The rows as a browser would send them back untouched: lines that somebody else changed stand."""
    data = QueryDict(mutable=True)
    data[f"{PREFIX}-TOTAL_FORMS"], data[f"{PREFIX}-INITIAL_FORMS"] = str(len(rows.forms)), "0"
    for form in rows.forms:
        for field in form:
            data[field.html_name] = str(field.value() or "")
    return line_set(data, currency=currency)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() and len(text) < 5 else 0


def _values(line: OrderLine, currency: str) -> dict[str, Any]:
    discount = money.major(line.discount_cents, currency) if line.discount_cents else None
    return {
        "position": line.position,
        "sku": line.product.sku,
        "quantity": line.quantity,
        "unit_price": price_of(line, exponent=money.exponent(currency)),
        "discount": discount,
    }


class RefundForm(forms.Form):
    """How many of each line came back, and for how much; an empty amount is in proportion."""

    number = forms.CharField(max_length=60, widget=forms.HiddenInput)
    refunded_on = forms.DateField(label=gettext_lazy("Date"), widget=DateInput())

    def __init__(self, *args: Any, lines: Sequence[OrderLine], currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines, self.currency = lines, currency
        for line in lines:
            self.fields[f"quantity_{line.pk}"] = AmountField(label=_("Quantity"), required=False, places=3)
            self.fields[f"quantity_{line.pk}"].widget.attrs["placeholder"] = "0"
            self.fields[f"amount_{line.pk}"] = AmountField(
                label=_("Amount"), required=False, currency=currency, places=money.exponent(currency)
            )

    @property
    def rows(self) -> Iterator[tuple[OrderLine, forms.BoundField, forms.BoundField]]:
        for line in self.lines:
            yield line, self[f"quantity_{line.pk}"], self[f"amount_{line.pk}"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and not self.parts():
            raise forms.ValidationError(_("Say what came back: a quantity, an amount or both."))
        return cleaned

    def parts(self) -> list[tuple[OrderLine, Decimal, int | None]]:
        """(line, quantity, minor units or None for in proportion) of the lines that something came back of."""
        found = []
        for line in self.lines:
            quantity = self.cleaned_data.get(f"quantity_{line.pk}") or Decimal(0)
            amount = self.cleaned_data.get(f"amount_{line.pk}")
            if quantity or amount:
                found.append((line, quantity, None if amount is None else cents(amount, self.currency)))
        return found

    @property
    def refunded_at(self) -> datetime:
        """The day as it is told: now for today, else its noon, for the order of events within the day."""
        day: date = self.cleaned_data["refunded_on"]
        now = timezone.localtime()
        return now if day == now.date() else datetime.combine(day, time(12), now.tzinfo)
