"""A contract as people edit it, and what they decide when its term comes to an end."""

from datetime import date
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import money
from core.forms.guarded import Guarded
from core.models import Business
from customers.forms.company import DateInput
from customers.forms.customer import NUMBERED, company_of, numbered
from customers.forms.fields import AmountField, cents
from customers.models import Company, Contract, ContractTerm, Customer
from customers.models.contract import LONGEST_TERM
from customers.services.contracts import Agreement

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2099, 12, 31)
MOST_RENEWALS: Final = 600


def day_field(label: Any, **options: Any) -> forms.DateField:
    """A day that a contract can have."""
    field = forms.DateField(label=label, widget=DateInput(), **options)
    field.validators.append(_within)
    return field


def _within(day: date) -> None:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValidationError(_("Write a day between 1900 and 2099."))


class ContractForm(Guarded):
    plan = forms.CharField(label=gettext_lazy("Plan"), max_length=120)
    company = forms.CharField(label=gettext_lazy("Company"), required=False, max_length=220)
    customer = forms.CharField(label=gettext_lazy("Customer"), required=False, max_length=220)
    agreed_on = day_field(gettext_lazy("Agreed on"))
    starts_on = day_field(gettext_lazy("Starts on"))
    term_months = forms.IntegerField(
        label=gettext_lazy("Term, months"), min_value=1, max_value=LONGEST_TERM, initial=12
    )
    value = AmountField(label=gettext_lazy("Value of a term"), help_text=gettext_lazy("Net, for the whole term."))
    margin_percent = AmountField(
        label=gettext_lazy("Margin rate, %"),
        required=False,
        negative=True,
        places=2,
        help_text=gettext_lazy("Empty: the rate of the business."),
    )
    renews_automatically = forms.BooleanField(
        label=gettext_lazy("Renews automatically unless cancelled"), required=False
    )
    is_billed_by_orders = forms.BooleanField(
        label=gettext_lazy("Its invoices come in as orders"),
        required=False,
        help_text=gettext_lazy("Then its value is in that of the orders, and is not added to the customer's again."),
    )

    def __init__(self, *args: Any, business: Business, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = business.currency
        value = self.fields["value"]
        value.currency, value.places = business.currency, money.exponent(business.currency)  # type: ignore[attr-defined]

    def clean_company(self) -> Company | None:
        return company_of(self.cleaned_data["company"])

    def clean_customer(self) -> Customer | None:
        return customer_of(self.cleaned_data["customer"])

    def clean_margin_percent(self) -> Decimal | None:
        percent: Decimal | None = self.cleaned_data["margin_percent"]
        if percent is not None and abs(percent) > 100:
            raise ValidationError(_("Write a rate from -100 to 100."))
        return percent

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not {"company", "customer"} & set(self.errors) and not (cleaned["company"] or cleaned["customer"]):
            self.add_error("company", _("Name a company or a customer."))
        if {"agreed_on", "starts_on"} <= set(cleaned) and cleaned["agreed_on"] > cleaned["starts_on"]:
            self.add_error("agreed_on", _("A contract is agreed before it starts, or on that day."))
        return cleaned

    def agreement(self) -> Agreement:
        """Call it when valid."""
        told = self.cleaned_data
        percent: Decimal | None = told["margin_percent"]
        return Agreement(
            **{name: told[name] for name in ("plan", "company", "customer", "agreed_on", "starts_on", "term_months")},
            value_cents=cents(told["value"], self.currency),
            margin_rate=None if percent is None else percent / 100,
            renews_automatically=told["renews_automatically"],
            is_billed_by_orders=told["is_billed_by_orders"],
        )


class NewContractForm(ContractForm):
    renewals = forms.IntegerField(
        label=gettext_lazy("Renewed so far"),
        min_value=0,
        max_value=MOST_RENEWALS,
        initial=0,
        help_text=gettext_lazy("How often, for a contract that has run for longer than a term."),
    )


class KnownContractForm(ContractForm):
    reprices = forms.BooleanField(label=gettext_lazy("The value is that of the open term, too"), required=False)


def initial(contract: Contract, *, currency: str) -> dict[str, Any]:
    """The record's values as the form's."""
    rate = contract.margin_rate
    names = ("plan", "agreed_on", "starts_on", "term_months", "renews_automatically", "is_billed_by_orders")
    return {name: getattr(contract, name) for name in names} | {
        "company": numbered(contract.company) if contract.company else "",
        "customer": numbered_customer(contract.customer) if contract.customer else "",
        "value": money.major(contract.value_cents, currency),
        "margin_percent": None if rate is None else rate * 100,
    }


def numbered_customer(customer: Customer) -> str:
    """`Ada Lovelace #12`: names are not unique, and some customers have none."""
    return f"{customer.name or customer} #{customer.pk}"


def customer_of(text: str) -> Customer | None:
    """The customer by name and number, or by the only name. Raises ValidationError for none and for several."""
    if not text:
        return None
    if match := NUMBERED.fullmatch(text):
        found = list(Customer.objects.filter(pk=int(match[2][:18])))
    else:
        found = list(Customer.objects.filter(name__iexact=text).order_by("pk")[:2])
    if not found:
        raise ValidationError(_("There is no customer “%(name)s” yet. Add them first.") % {"name": text})
    if len(found) > 1:
        raise ValidationError(
            _("Several customers have this name. Write it with its number, such as %(name)s.")
            % {"name": numbered_customer(found[0])}
        )
    return found[0]


class DecisionForm(forms.Form):
    """Which term is decided upon, and since when that is known."""

    number = forms.IntegerField(min_value=1, max_value=10_000, widget=forms.HiddenInput)
    on = day_field(gettext_lazy("Known since"))

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_on(self) -> date:
        day: date = self.cleaned_data["on"]
        if day > self.today:
            raise ValidationError(_("This day is still to come. Write the day on which it was decided."))
        return day


class RenewForm(DecisionForm):
    value = AmountField(label=gettext_lazy("Value of the next term"), required=False)

    def __init__(self, *args: Any, business: Business, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = business.currency
        value = self.fields["value"]
        value.currency, value.places = business.currency, money.exponent(business.currency)  # type: ignore[attr-defined]

    @property
    def value_cents(self) -> int | None:
        told: Decimal | None = self.cleaned_data["value"]
        return None if told is None else cents(told, self.currency)


class CancelForm(DecisionForm):
    outcome = forms.ChoiceField(
        label=gettext_lazy("How it ends"),
        choices=[
            (ContractTerm.Outcome.CANCELLED, gettext_lazy("The customer cancelled")),
            (ContractTerm.Outcome.LAPSED, gettext_lazy("It lapsed: nobody renewed it")),
        ],
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), required=False, max_length=200)
