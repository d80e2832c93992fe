"""From one night's value to another's by drivers, as rows with bars, and tints for a table of parts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils import formats
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as lazy

from analytics.selectors.value_drivers import CONTRACTS, PARTS, BySegment, Change
from core.models import Business
from core.templatetags import ui

LABELS: Final[dict[str, Promise]] = {
    "customers": lazy("Customers"),
    "time": lazy("Time"),
    "frequency": lazy("Frequency"),
    "money": lazy("Money"),
    CONTRACTS: lazy("Contracts"),
}
NOTES: Final[dict[str, Promise]] = {
    "customers": lazy("%(before)s → %(after)s"),
    "time": lazy("%(before)s → %(after)s years"),
    "frequency": lazy("%(before)s → %(after)s orders a year"),
    "money": lazy("%(before)s → %(after)s an order"),
    CONTRACTS: lazy("%(before)s → %(after)s"),
}
AIR: Final = 0.08  # of the span, on both sides of what is drawn
HEIGHT: Final = 40
THINNEST: Final = 0.4  # percent
SHADES: Final = 5


@dataclass(frozen=True, kw_only=True)
class Step:
    """A row of the waterfall: a night's value, or what a driver adds; `note` is the driver then and now."""

    label: str | Promise
    cents: int
    note: str
    bar: SafeString
    is_end: bool


@dataclass(frozen=True, kw_only=True)
class Cell:
    cents: int
    css: str


def names(horizon: str, shop: Change) -> Sequence[str]:
    """The parts to show: within 12 months there is no time to tell apart, and not every shop has contracts."""
    hidden = {"time" if horizon == "12m" else "", "" if any(shop.contracts) else CONTRACTS}
    return [name for name in PARTS if name not in hidden]


def steps(change: Change, *, names: Sequence[str], ends: tuple[str, str], business: Business) -> list[Step]:
    """Rows from the value before to the value after. `ends` name the two nights."""
    levels = [change.before_cents]
    for name in names:
        levels.append(levels[-1] + change.parts[name])
    place = _places(levels)
    first, last = (
        Step(label=ends[end], cents=levels[end], note="", bar=_end(place(levels[end]), is_first=end == 0), is_end=True)
        for end in (0, -1)
    )
    between = [
        Step(
            label=LABELS[name],
            cents=change.parts[name],
            note=_note(name, change, business),
            bar=_part(place(levels[number]), place(levels[number + 1])),
            is_end=False,
        )
        for number, name in enumerate(names)
    ]
    return [first, *between, last]


def table(found: BySegment, *, names: Sequence[str]) -> list[tuple[Change, list[Cell]]]:
    """Each segment with its parts, tinted by how much they weigh among all of them."""
    return [
        (row, [Cell(cents=row.parts[name], css=_tint(row.parts[name], most=found.most)) for name in names])
        for row in found.rows
    ]


def _tint(cents: int, *, most: int) -> str:
    """`dv up-3`: the sign, and how strong from 1 to 5; nothing for no part."""
    if not cents or not most:
        return ""
    return f"dv {'up' if cents > 0 else 'down'}-{max(1, round(SHADES * abs(cents) / most))}"


def _places(levels: Sequence[int]) -> Callable[[int], float]:
    """Where an amount stands across, in percent."""
    low, high = min(levels), max(levels)
    air = AIR * ((high - low) or max(abs(high), 1))
    return lambda cents: 100 * (cents - low + air) / (high - low + 2 * air)


def _end(x: float, *, is_first: bool) -> SafeString:
    middle = HEIGHT // 2
    return _svg(
        format_html(
            '<line class="wf-guide" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>'
            '<circle class="wf-end" cx="{0}" cy="{3}" r="6"/>',
            *(f"{x:.2f}%", middle if is_first else 0, HEIGHT if is_first else middle, middle),
        )
    )


def _part(start: float, end: float) -> SafeString:
    """Guides from the row above and to the row below, and a bar between them where there is something."""
    bar = format_html(
        '<rect class="wf-{}" x="{}" width="{}" y="9" height="{}" rx="3"/>',
        *("up" if end > start else "down", f"{min(start, end):.2f}%"),
        *(f"{max(abs(end - start), THINNEST):.2f}%", HEIGHT - 18),
    )
    guides = format_html(
        '<line class="wf-guide" x1="{0}" x2="{0}" y1="0" y2="{2}"/>'
        '<line class="wf-guide" x1="{1}" x2="{1}" y1="{2}" y2="{3}"/>',
        *(f"{start:.2f}%", f"{end:.2f}%", HEIGHT // 2, HEIGHT),
    )
    return _svg(guides + bar if start != end else guides)


def _svg(inside: SafeString) -> SafeString:
    return format_html('<svg class="wf" width="100%" height="{}" aria-hidden="true">{}</svg>', HEIGHT, inside)


def _note(name: str, change: Change, business: Business) -> str:
    """The driver on both nights; nothing where orders had no value on one of them."""
    before, after = change.factors
    if name == CONTRACTS:
        then, now = (ui.money_whole(cents, business) for cents in change.contracts)
    elif not before.value or not after.value:
        return ""
    else:
        then, now = (_written(name, getattr(one, name), business) for one in (before, after))
    return str(NOTES[name]) % {"before": then, "after": now}


def _written(name: str, amount: float, business: Business) -> str:
    if name == "customers":
        return ui.grouped(round(amount))
    if name == "money":
        return ui.money_text(amount, business)
    return formats.number_format(round(amount, 2), 2, force_grouping=True)
