"""What people choose a currency and a time zone from, named in their language."""

import zoneinfo
from functools import cache
from itertools import groupby
from typing import Final, TypeAlias

from babel import Locale
from babel.core import get_global
from django.utils.translation import get_language, ngettext, to_locale
from django.utils.translation import gettext as _

from core import money

Choice: TypeAlias = tuple[str, str]
# Places that people live in. The other names of zones are old ones and offsets without summer time.
CONTINENTS: Final = {
    *("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"),
}


@cache
def zones() -> list[str]:
    """Every zone by its continent, `UTC` first."""
    places = (name for name in zoneinfo.available_timezones() if name.split("/")[0] in CONTINENTS)
    return ["UTC", *sorted(places)]


def zone_choices(*, now: str) -> list[tuple[str, list[Choice]]]:
    """Continent → [(zone, place)]. The zone that is set now is among them, whatever its name."""
    names = sorted({*zones(), now})
    return [
        (continent, [(name, name.partition("/")[2].replace("_", " ") or name) for name in group])
        for continent, group in groupby(names, key=lambda name: name.split("/")[0])
    ]


@cache
def currencies() -> frozenset[str]:
    """The codes of ISO 4217 that are legal tender somewhere today (CLDR, by way of Babel)."""
    used = get_global("territory_currencies").values()
    return frozenset(code for rows in used for code, _start, end, tender in rows if tender and end is None)


def currency_choices(*, now: str) -> list[Choice]:
    """(code, `EUR, Euro`) by code; says where a currency does not have two decimals."""
    names = Locale.parse(to_locale(get_language() or "en")).currencies
    return [(code, _currency(code, str(names.get(code, "")))) for code in sorted({*currencies(), now})]


def _currency(code: str, name: str) -> str:
    text = f"{code}, {name}" if name else code
    places = money.exponent(code)
    if places == 2:
        return text
    some = ngettext("%(number)d decimal", "%(number)d decimals", places) % {"number": places}
    none = _("no decimals")
    return f"{text} ({some if places else none})"
