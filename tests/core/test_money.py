import pytest
from django.utils import translation

from core import money


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        (123456, "USD", "$1,234.56"),
        (123456, "EUR", "€1,234.56"),
        (-5, "GBP", "−£0.05"),
        (123456, "JPY", "¥123,456"),
        (123456, "KWD", "KWD\N{NO-BREAK SPACE}123.456"),
        (0, "USD", "$0.00"),
        (12345678901, "USD", "$123,456,789.01"),
    ],
)
def test_amounts_have_the_currency_s_decimals(amount, currency, written):
    assert money.text(amount, currency) == written


def test_whole_units_round():
    assert money.text(123450, "USD", digits=0) == "$1,234"
    assert money.text(123551, "USD", digits=0) == "$1,236"
    assert money.text(-40, "USD", digits=0) == "$0"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (940, "940"),
        (999.4, "999"),
        (999.6, "1k"),
        (1000, "1k"),
        (38_600, "38.6k"),
        (386_400, "386k"),
        (999_600, "1M"),
        (2_143_000, "2.14M"),
        (10_000_000, "10M"),
        (5_400_000_000, "5.4B"),
        (-38_600, "−38.6k"),
    ],
)
def test_headlines_have_three_figures(value, written):
    assert money.compact(value) == written


def test_short_takes_minor_units():
    assert money.short(214_300_000, "USD") == "$2.14M"
    assert money.short(-38_600_00, "EUR") == "−€38.6k"
    assert money.short(386, "JPY") == "¥386"


def test_exponent_defaults_to_two():
    assert [money.exponent(code) for code in ("USD", "JPY", "KWD", "XYZ")] == [2, 0, 3, 2]


def test_grouping_follows_the_language():
    with translation.override("de"):
        assert money.text(123456, "EUR") == "1.234,56\xa0€"
        assert money.compact(38_600) == "38,6\xa0Tsd."
