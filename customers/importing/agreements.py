"""The contract file: one row per contract, told by its own number. What a row leaves empty stays as it is.

A contract's length stands in months, or follows from its last day. A last day beyond the first term says how often it
was renewed.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from customers import terms
from customers.importing.problems import ValueProblem
from customers.importing.record import Record
from customers.importing.rows import ContractRow

LONGEST_TERM: Final = 120  # months
MOST_RENEWALS: Final = 600
LAST_YEAR: Final = 2099
YES: Final = frozenset({"yes", "y", "true", "1", "x", "ja", "wahr", "sí", "si", "verdadero"})
NO: Final = frozenset({"no", "n", "false", "0", "-", "nein", "falsch", "falso"})
ALIASES: Final = {
    "contract_id": ("contract_id", "contract_number", "contract"),
    "customer_id": ("customer_id", "customer"),
    "starts_on": ("starts_on", "start", "start_date"),
    "ends_on": ("ends_on", "end", "end_date"),
    "term_months": ("term_months", "term", "months"),
    "value": ("value", "term_value"),
    **{name: (name,) for name in ("company", "plan", "agreed_on", "renewals", "cancelled_on", "reason", "currency")},
    **{name: (name,) for name in ("margin_rate", "renews_automatically", "is_billed_by_orders")},
}
REQUIRED: Final = (
    *(("contract_id",), ("customer_id", "company"), ("starts_on",), ("term_months", "ends_on"), ("value",)),
)
DATES: Final = ("starts_on", "ends_on", "agreed_on", "cancelled_on")
NUMBERS: Final = ("value", "term_months", "renewals", "margin_rate")


def parse(record: Record) -> ContractRow:
    """Raises ValueProblem for what cannot be used."""
    _check_currency(record)
    starts_on = _needed_day(record, "starts_on")
    months, renewals = _length(record, starts_on)
    customer, company = record.key("customer_id"), record.key("company")
    if not (customer or company):
        raise record.problem("customer_id", "no customer_id; expected whose contract it is, or a company")
    return ContractRow(
        line=record.line,
        number=_number(record),
        customer=customer,
        company=company,
        plan=record.name("plan", longest=120),
        starts_on=starts_on,
        term_months=months,
        renewals=renewals,
        value_cents=_value(record),
        agreed_on=_agreed(record, starts_on),
        margin_rate=_share(record),
        renews_automatically=_flag(record, "renews_automatically"),
        is_billed_by_orders=_flag(record, "is_billed_by_orders"),
        cancelled_on=_day(record, "cancelled_on"),
        reason=record.name("reason", longest=200),
    )


def _check_currency(record: Record) -> None:
    currency = record.text("currency")
    if currency and currency.upper() != record.reader.currency:
        raise ValueProblem("currency", currency, f"is not the business's currency {record.reader.currency}")


def _number(record: Record) -> str:
    number = record.key("contract_id")
    if not number:
        raise record.problem("contract_id", "no contract_id; expected the contract's own number")
    return number


def _day(record: Record, field: str) -> date | None:
    return _needed_day(record, field) if record.text(field) else None


def _needed_day(record: Record, field: str) -> date:
    day = record.moment(field).day
    if day.year > LAST_YEAR:
        raise record.problem(field, f"is after {LAST_YEAR}; expected a day that a contract can have")
    return day


def _agreed(record: Record, starts_on: date) -> date | None:
    day = _day(record, "agreed_on")
    if day is not None and day > starts_on:
        raise record.problem("agreed_on", f"is after the start; expected {starts_on} or earlier")
    return day


def _value(record: Record) -> int:
    cents = record.unsigned_cents("value")
    if cents is None:
        raise record.problem("value", "no value; expected what a term is worth, net")
    return cents


def _whole(record: Record, field: str, *, least: int, most: int) -> int | None:
    number = record.number(field)
    if number is not None and (number != int(number) or not least <= number <= most):
        raise record.problem(field, f"is not a whole number from {least} to {most}")
    return None if number is None else int(number)


def _length(record: Record, starts_on: date) -> tuple[int, int | None]:
    """The months of a term, and how often it was renewed where that is told."""
    months = _whole(record, "term_months", least=1, most=LONGEST_TERM)
    renewals = _whole(record, "renewals", least=0, most=MOST_RENEWALS)
    ends_on = _day(record, "ends_on")
    if ends_on is None:
        if months is None:
            raise record.problem("term_months", "no term_months; expected the months of a term, or a last day")
        return months, renewals
    whole = _months_until(record, starts_on, ends_on)
    if months is None:
        months = _fitting(record, whole, renewals or 0)
    if whole % months:
        raise record.problem(
            "ends_on", f"is not the last day of a term of {months} months; expected {_last(starts_on, months)}"
        )
    if renewals is not None and renewals != whole // months - 1:
        raise record.problem("renewals", f"does not fit the last day; expected {whole // months - 1}")
    return months, whole // months - 1


def _fitting(record: Record, whole: int, renewals: int) -> int:
    if whole % (renewals + 1) or whole // (renewals + 1) > LONGEST_TERM:
        raise record.problem("ends_on", f"does not make {renewals + 1} terms of at most {LONGEST_TERM} whole months")
    return whole // (renewals + 1)


def _months_until(record: Record, starts_on: date, ends_on: date) -> int:
    """The whole months from the start to the last day; the day after the last one is taken for it, with a note."""
    if ends_on < starts_on:
        raise record.problem("ends_on", f"is before the start; expected a day after {starts_on}")
    for last, months in ((day, _between(starts_on, day)) for day in (ends_on, ends_on - timedelta(days=1))):
        if months > 0 and _last(starts_on, months) == last:
            if last != ends_on:
                record.reader.note(record.line, "ends_on", record.text("ends_on"), f"is taken as the day after {last}")
            return months
    nearest = _last(starts_on, max(1, _between(starts_on, ends_on)))
    raise record.problem("ends_on", f"is not whole months after the start; expected a day such as {nearest}")


def _between(starts_on: date, last: date) -> int:
    after = last + timedelta(days=1)
    return (after.year - starts_on.year) * 12 + after.month - starts_on.month


def _last(starts_on: date, months: int) -> date:
    return terms.last_day(starts_on=starts_on, months=months, anchor=starts_on.day)


def _share(record: Record) -> Decimal | None:
    rate = record.number("margin_rate")
    if rate is not None and abs(rate) > 1:
        raise record.problem("margin_rate", "is not a share; expected one from -1 to 1, such as 0.35")
    return None if rate is None else round(rate, 4)


def _flag(record: Record, field: str) -> bool | None:
    text = record.text(field).casefold()
    if text and text not in YES | NO:
        raise record.problem(field, "is neither yes nor no; expected one of the two")
    return text in YES if text else None
