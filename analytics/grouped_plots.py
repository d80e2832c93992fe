"""Columns side by side in groups, as server-rendered SVG: places across are in percent, so that they stretch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from analytics.plots import HEIGHT, LABELS, LEFT, RIGHT, TOP, WHOLE, Tick
from core.columns import Scale

FILLED: Final = 0.76  # of a group's room
WHISKER: Final = 0.16  # of a column's width, to each side
THINNEST: Final = 1.5


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One column with its interval, if it has one. `text` says all of it."""

    value: float
    low: float | None = None
    high: float | None = None
    text: str


def grouped(
    names: Sequence[str], groups: Sequence[Sequence[Bar]], *, scale: Scale, ticks: Sequence[Tick], label: str
) -> SafeString:
    """The n-th bar of each group has the class `gp-n`, from 0."""
    room = (RIGHT - LEFT) / max(len(groups), 1)
    columns = [
        _bar(bar, number, LEFT + place * room, room / max(len(bars), 1), room, scale)
        for place, bars in enumerate(groups)
        for number, bar in enumerate(bars)
    ]
    return format_html(
        '<svg class="plot" width="100%" height="{}" role="img" aria-label="{}">{}{}{}</svg>',
        *(WHOLE, label, _grid(scale, ticks), format_html_join("", "{}", [(one,) for one in columns])),
        format_html_join(
            "",
            '<text class="bt" text-anchor="middle" x="{}%" y="{}">{}</text>',
            [(_f(LEFT + (place + 0.5) * room), LABELS, name) for place, name in enumerate(names)],
        ),
    )


def _bar(bar: Bar, number: int, start: float, width: float, room: float, scale: Scale) -> SafeString:
    left = start + (1.0 - FILLED) / 2.0 * room + number * width * FILLED
    wide = width * FILLED
    top, zero = _y(scale, max(bar.value, 0.0)), _y(scale, min(bar.value, 0.0))
    return format_html(
        '<g><title>{}</title><rect class="gp-{}" x="{}%" width="{}%" y="{}" height="{}" rx="2"/>{}</g>',
        *(bar.text, number, _f(left), _f(wide * 0.94), f"{top:.1f}", f"{max(zero - top, THINNEST):.1f}"),
        _whisker(bar, left + wide * 0.47, wide * WHISKER, scale),
    )


def _whisker(bar: Bar, middle: float, side: float, scale: Scale) -> SafeString | str:
    if bar.low is None or bar.high is None or bar.low == bar.high:
        return ""
    low, high = f"{_y(scale, bar.low):.1f}", f"{_y(scale, bar.high):.1f}"
    lines = [
        (_f(middle), _f(middle), low, high),
        *((_f(middle - side), _f(middle + side), end, end) for end in (low, high)),
    ]
    return format_html_join("", '<line class="gp-held" x1="{}%" x2="{}%" y1="{}" y2="{}"/>', lines)


def _grid(scale: Scale, ticks: Sequence[Tick]) -> SafeString:
    return format_html_join(
        "",
        '<line class="bl" x1="{}%" x2="100%" y1="{}" y2="{}"/><text class="bt" x="0" y="{}">{}</text>',
        [
            (LEFT - 1.0, f"{_y(scale, v):.1f}", f"{_y(scale, v):.1f}", f"{_y(scale, v) + 4.0:.1f}", text)
            for v, text in ticks
        ],
    )


def _y(scale: Scale, value: float) -> float:
    return TOP + HEIGHT * (scale.high - value) / (scale.high - scale.low)


def _f(number: float) -> str:
    return f"{number:.2f}"
