"""Amounts as people read them. Stored amounts are integers in the currency's minor unit."""

from decimal import Decimal
from typing import Any

from django.utils import formats
from django.utils.translation import pgettext

# ISO 4217: the currencies whose minor unit is not a hundredth.
WHOLE = (
    *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
    *("RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"),
)
THOUSANDTHS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
EXPONENTS = {**dict.fromkeys(WHOLE, 0), **dict.fromkeys(THOUSANDTHS, 3)}
SYMBOLS = {
    "AUD": "A$", "BRL": "R$", "CAD": "CA$", "CNY": "CN¥", "EUR": "€", "GBP": "£", "ILS": "₪", "INR": "₹",
    "JPY": "¥", "KRW": "₩", "MXN": "MX$", "NZD": "NZ$", "PHP": "₱", "USD": "$", "VND": "₫",
}  # fmt: skip
MINUS = "\N{MINUS SIGN}"
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
STEPS = (Decimal(10**9), Decimal(10**6), Decimal(10**3))


def exponent(currency: str) -> int:
    """How many decimals the currency has: 2 for most, 0 for JPY, 3 for KWD."""
    return EXPONENTS.get(currency, 2)


def symbol(currency: str) -> str:
    """What stands beside an amount: a sign where one is well known, else the code and a space."""
    return SYMBOLS.get(currency) or currency + NO_BREAK_SPACE


def placed(number: str, currency: str, *, sign: str) -> str:
    """Sign, currency and number in the order of the language: `−$12`, in German `−12 $`."""
    pattern = pgettext("amount of money", "%(sign)s%(symbol)s%(number)s")
    return (pattern % {"sign": sign, "symbol": symbol(currency), "number": number}).strip()


def major(amount: float | Decimal, currency: str) -> Decimal:
    """An amount in minor units as a decimal in the currency's main unit."""
    return Decimal(amount).scaleb(-exponent(currency))


def text(amount: float | Decimal, currency: str, *, digits: int | None = None) -> str:
    """`123456` in USD is `$1,234.56`; `digits=0` rounds to whole units. Grouped as the language groups."""
    value = major(amount, currency)
    places = exponent(currency) if digits is None else digits
    number = formats.number_format(round(abs(value), places), places, force_grouping=True)
    return placed(number, currency, sign=sign(round(value, places)))


def short(amount: float | Decimal, currency: str) -> str:
    """Three figures and a letter, for headlines: `$2.14M`, `$386k`, `$94`."""
    value = major(amount, currency)
    return placed(compact(abs(value)), currency, sign=sign(round(value)))


def compact(value: float | Decimal) -> str:
    """`2143000` is `2.14M`, `38600` is `38.6k`, `940` is `940`."""
    size = abs(Decimal(value))
    for step, pattern in zip(STEPS, shortened(), strict=True):
        if size >= step * Decimal("0.9995"):
            figures = size / step
            places = max(0, 3 - len(str(int(figures))))
            number = f"{round(figures, places):f}"
            number = number.rstrip("0").rstrip(".") if places else number
            return sign(Decimal(value)) + pattern % {"number": localize(number)}
    return sign(round(Decimal(value))) + formats.number_format(round(size), 0, force_grouping=True)


def shortened() -> tuple[str, str, str]:
    """How the language writes billions, millions and thousands."""
    return (
        pgettext("billions", "%(number)sB"),
        pgettext("millions", "%(number)sM"),
        pgettext("thousands", "%(number)sk"),
    )


def written(currency: str) -> dict[str, Any]:
    """How scripts write short amounts: `#` stands for the number, `units` are steps with their pattern."""
    units = zip(STEPS, shortened(), strict=True)
    return {
        "amount": placed("#", currency, sign=""),
        "units": [[int(step), pattern % {"number": "#"}] for step, pattern in units],
    }


def localize(number: str) -> str:
    """A plain decimal with the active language's decimal sign."""
    return number.replace(".", str(formats.get_format("DECIMAL_SEPARATOR")))


def sign(value: float | Decimal) -> str:
    return MINUS if value < 0 else ""
