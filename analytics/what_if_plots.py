"""The values of a what-if answer, or of several, as columns side by side."""

from collections.abc import Mapping, Sequence
from typing import Final

from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics import grouped_plots, plots, what_if_words
from analytics.grouped_plots import Bar
from analytics.selectors.what_if import Line
from core import money
from core.models import Business
from core.templatetags import ui

VALUES: Final[Mapping[str, Promise]] = {  # of AMOUNTS, with names that fit under columns on a phone
    "clv": gettext_lazy("12 months"),
    "clv_36m": gettext_lazy("36 months"),
    "clv_lifetime": gettext_lazy("Lifetime"),
}

Lines = Mapping[str, Line]


def plot(
    before: Lines, after: Sequence[tuple[str, Lines]], *, business: Business, has_moved: bool = True
) -> SafeString:
    """As it is, then each of `after` (name, lines) with the interval of its difference."""
    several = after if has_moved else []
    groups = [[_as_it_is(name, before, business), *_then(name, several, business)] for name in VALUES]
    ends = [end for bars in groups for bar in bars for end in (bar.value, bar.high or 0.0, bar.low or 0.0)]
    scale = plots.scale(ends)
    return grouped_plots.grouped(
        [str(name) for name in VALUES.values()],
        groups,
        scale=scale,
        ticks=[(tick, money.short(tick, business.currency)) for tick in scale.ticks],
        label=_("Value of 12 months, of 36 months and of a lifetime, as it is and under the levers"),
    )


def _as_it_is(name: str, lines: Lines, business: Business) -> Bar:
    amount = lines[name].before
    return Bar(value=amount, text=_text(_("As it is"), amount, business))


def _then(name: str, several: Sequence[tuple[str, Lines]], business: Business) -> list[Bar]:
    return [_bar(label, lines[name], business) for label, lines in several]


def _bar(label: str, line: Line, business: Business) -> Bar:
    added = what_if_words.interval(line.added, is_orders=False, business=business)
    return Bar(
        value=line.after,
        low=line.before + line.added.low,
        high=line.before + line.added.high,
        text=f"{_text(label, line.after, business)} ({added})",
    )


def _text(label: str, amount: float, business: Business) -> str:
    return f"{label}: {ui.money_whole(amount, business)}"
