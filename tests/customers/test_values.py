"""Dates, numbers and contacts in the forms that exports use."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from customers.importing import contacts, dates, numbers, rejects
from customers.importing.dates import Calendar
from customers.importing.numbers import Numbers
from customers.importing.problems import ValueProblem

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    "text",
    [
        *("2024-03-05", "2024/03/05", "2024.03.05", "2024-3-5", "20240305", "05.03.2024", "5.3.2024", "5. 3. 2024"),
        *("5 Mar 2024", "05-Mar-2024", "March 5, 2024", "Mar 5 2024", "5 march 2024"),
    ],
)
def test_days(text):
    moment = Calendar(BERLIN).parse(text, field="date")
    assert (moment.day, moment.date_only) == (date(2024, 3, 5), True)
    assert moment.at == datetime(2024, 3, 4, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2024-03-05 14:30", datetime(2024, 3, 5, 13, 30, tzinfo=UTC)),
        ("2024-03-05T14:30:15.25", datetime(2024, 3, 5, 13, 30, 15, 250_000, tzinfo=UTC)),
        ("2024-03-05T14:30:00Z", datetime(2024, 3, 5, 14, 30, tzinfo=UTC)),
        ("2024-03-05T14:30:00+0530", datetime(2024, 3, 5, 9, 0, tzinfo=UTC)),
        ("2024-03-05 2:30 PM", datetime(2024, 3, 5, 13, 30, tzinfo=UTC)),
        ("05.03.2024, 14:30", datetime(2024, 3, 5, 13, 30, tzinfo=UTC)),
        ("2024-03-05 12:05 am", datetime(2024, 3, 4, 23, 5, tzinfo=UTC)),
    ],
)
def test_times(text, at):
    moment = Calendar(BERLIN).parse(text, field="date")
    assert (moment.at, moment.date_only, moment.note) == (at, False, "")


def test_a_time_with_a_zone_falls_on_the_business_day():
    assert Calendar(BERLIN).parse("2024-03-05T23:30:00Z", field="date").day == date(2024, 3, 6)


def test_a_skipped_hour_is_read_as_before_the_change_and_noted():
    moment = Calendar(BERLIN).parse("2024-03-31 02:30", field="date")
    assert moment.at == datetime(2024, 3, 31, 1, 30, tzinfo=UTC)
    assert "is skipped by the clocks in Europe/Berlin; taken as 03:30" in moment.note


def test_an_hour_that_comes_twice_is_the_first_and_noted():
    moment = Calendar(BERLIN).parse("2024-10-27 02:30", field="date")
    assert moment.at == datetime(2024, 10, 27, 0, 30, tzinfo=UTC)
    assert "comes twice" in moment.note


def test_a_midnight_that_is_skipped_keeps_its_day():
    assert Calendar(ZoneInfo("America/Sao_Paulo")).parse("2018-11-04", field="date").day == date(2018, 11, 4)


@pytest.mark.parametrize(
    "text", ["31.02.2024", "2023-02-29", "13/13/2024", "2024-13-01", "1/2/24", "soon", "1325376000"]
)
def test_no_dates(text):
    with pytest.raises(ValueProblem, match="expected YYYY-MM-DD"):
        Calendar(BERLIN).parse(text, field="date")


def test_slashes_need_a_hint():
    assert Calendar(BERLIN, day_first=True).parse("01/02/2024", field="date").day == date(2024, 2, 1)
    assert Calendar(BERLIN, day_first=False).parse("01/02/2024", field="date").day == date(2024, 1, 2)
    assert Calendar(BERLIN).parse("02/02/2024", field="date").day == date(2024, 2, 2)
    with pytest.raises(ValueProblem, match="the month first"):
        Calendar(BERLIN, day_first=False).parse("31/01/2024", field="date")


def test_a_column_tells_which_comes_first():
    assert dates.day_first_of(["01/02/2024", "31/01/2024"]) is True
    assert dates.day_first_of(["01/02/2024", "01/31/2024"]) is False
    assert dates.day_first_of(["31/01/2024", "01/31/2024"]) is None
    assert dates.day_first_of(["01/02/2024", "2024-01-31"]) is None


@pytest.mark.parametrize(
    ("text", "comma", "value"),
    [
        *(("5", None, "5"), ("5.25", None, "5.25"), ("-5", None, "-5"), ("+5", None, "5"), (".5", None, "0.5")),
        *(("5,25", None, "5.25"), ("1.234", None, "1.234"), ("1,234.5", None, "1234.5"), ("1.234,5", None, "1234.5")),
        *(("1,234", False, "1234"), ("1,234", True, "1.234"), ("1.234", True, "1234"), ("1 234,5", None, "1234.5")),
        *(
            ("(5.00)", None, "-5"),
            ("5.00-", None, "-5"),
            ("−5", None, "-5"),
            ("€ -5,00", None, "-5"),
            ("-5 EUR", None, "-5"),
        ),
        *(("1'234.50", None, "1234.5"), ("0,500", None, "0.5"), ("1234,567", None, "1234.567")),
    ],
)
def test_numbers(text, comma, value):
    assert Numbers("EUR", comma=comma).parse(text, field="amount") == Decimal(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "NaN",
        "sNaN",
        "Infinity",
        "1e5",
        "1_000",
        "--5",
        "1,2,3",
        "12,34,567",
        "£5",
        "5 USD",
        "0x10",
        "10000000000",
    ],
)
def test_no_numbers(text):
    with pytest.raises(ValueProblem):
        Numbers("EUR").parse(text, field="amount")


def test_a_column_tells_what_the_comma_is():
    assert numbers.comma_of(["1,234", "5,50"]) is True
    assert numbers.comma_of(["1,234", "5.50"]) is False
    assert numbers.comma_of(["5,50", "5.50"]) is None
    assert numbers.comma_of(["1,234", "7"]) is None


@pytest.mark.parametrize("text", ["Ann@Example.COM", "a.b+c@x-y.co.uk", "zoë@bücher.de"])
def test_emails(text):
    assert contacts.email(text) == text.lower()


@pytest.mark.parametrize("text", ["a", "a@b", "a b@c.de", "a@b..de", "@b.de", "a@-b.de", "a@b.de," + "x" * 250])
def test_no_emails(text):
    with pytest.raises(ValueProblem, match="e-mail"):
        contacts.email(text)


def test_phones():
    assert contacts.phone("+49 170 123-4567") == "+491701234567"
    assert contacts.phone("0170 1234567", region=contacts.region_of("de")) == "+491701234567"
    for text in ("0170 1234567", "call me", "+1"):
        with pytest.raises(ValueProblem, match="phone"):
            contacts.phone(text, region=contacts.region_of("Germany"))


@pytest.mark.parametrize("cell", ["=1+1", "+cmd", "-x", "@sum", "\tx"])
def test_formula_cells_become_text(cell):
    assert rejects.safe(cell) == "'" + cell
    assert rejects.safe("-5.00") == "-5.00"
