from decimal import Decimal
from typing import Any

from django import forms
from django.forms.models import model_to_dict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.forms.guarded import Guarded
from customers.forms.fields import AmountField
from customers.models import Category, Product
from customers.services.catalogue import COLUMNS, Item


class ProductForm(Guarded):
    sku = forms.CharField(label=gettext_lazy("SKU"), max_length=100)
    name = forms.CharField(label=gettext_lazy("Name"), required=False, max_length=300)
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=Product.Kind.choices,
        initial=Product.Kind.GOODS,
        help_text=gettext_lazy("Goods count as order value. Orders so far keep what they counted."),
    )
    category = forms.ModelChoiceField(
        label=gettext_lazy("Category"),
        queryset=Category.objects.order_by("name"),
        required=False,
        help_text=gettext_lazy("Lines without a cost follow the margin rate of the category from the next night on."),
    )
    unit_price = AmountField(label=gettext_lazy("List price"), required=False)
    unit_cost = AmountField(
        label=gettext_lazy("Unit cost"),
        required=False,
        help_text=gettext_lazy("For orders from now on: lines keep the cost of the day of sale."),
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("unit_price", "unit_cost"):
            self.fields[name].currency = currency  # type: ignore[attr-defined]

    def item(self) -> Item:
        return Item(**{name: self.cleaned_data[name] for name in COLUMNS})


def initial(product: Product) -> dict[str, Any]:
    return model_to_dict(product, fields=COLUMNS)


class CategoryForm(Guarded):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    margin_percent = AmountField(
        label=gettext_lazy("Margin rate where a cost is unknown, %"),
        required=False,
        negative=True,
        places=2,
        help_text=gettext_lazy(
            "Margins of all lines without a cost, past ones too, are counted anew by the next night. Empty: the rate of"
            " the business."
        ),
    )

    def clean_margin_percent(self) -> Decimal | None:
        percent: Decimal | None = self.cleaned_data["margin_percent"]
        if percent is not None and abs(percent) > 100:
            raise forms.ValidationError(_("Write a rate from -100 to 100."))
        return percent

    @property
    def rate(self) -> Decimal | None:
        percent: Decimal | None = self.cleaned_data["margin_percent"]
        return None if percent is None else percent / 100


def category_initial(category: Category) -> dict[str, Any]:
    rate = category.margin_rate
    return {"name": category.name, "margin_percent": None if rate is None else rate * 100}
