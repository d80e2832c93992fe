"""Plots as server-rendered SVG: places across are in percent, so that they stretch with the card."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby, pairwise
from typing import Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.columns import Scale, nice_third, scale_of

TOP, HEIGHT, LABELS, WHOLE = 10, 170, 202, 210
LEFT, RIGHT = 13.0, 97.0  # percent
HALF_MARK = 1.8  # percent, half of the line that marks a prediction
STRETCHED: Final = 1000  # units across of what is drawn as a path
MOST_DOTS: Final = 40
SHARES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
SHARE_SCALE: Final = Scale(low=0.0, high=1.0)

Tick = tuple[float, str]  # value, text


@dataclass(frozen=True, kw_only=True)
class Range:
    """What was predicted of one thing, with its interval, and what happened. `text` says all of it."""

    name: str
    predicted: float
    low: float
    high: float
    actual: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Pair:
    name: str
    predicted: float
    actual: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Point:
    """A value on a day, None for a gap; with its interval where there is one. `text` says all of it."""

    day: date
    value: float | None
    low: float | None = None
    high: float | None = None
    text: str = ""


def scale(values: Sequence[float]) -> Scale:
    """From 0 (or below) to a round figure above all values."""
    return scale_of(values, smallest=max(max(values, default=0.0), 1e-6))


def ranges(rows: Sequence[Range], *, scale: Scale, ticks: Sequence[Tick], label: str) -> SafeString:
    """A bar from low to high for each, a line for the prediction, a dot for what happened."""
    places = _middles(len(rows))
    marks = format_html_join(
        "",
        '<g><title>{}</title><line class="pl-held" x1="{}%" x2="{}%" y1="{}" y2="{}"/>'
        '<line class="pl-said" x1="{}%" x2="{}%" y1="{}" y2="{}"/><circle class="pl-was" cx="{}%" cy="{}" r="5"/></g>',
        [
            (
                *(row.text, _f(x), _f(x), _y(scale, row.low), _y(scale, row.high)),
                *(_f(x - HALF_MARK), _f(x + HALF_MARK), _y(scale, row.predicted), _y(scale, row.predicted)),
                *(_f(x), _y(scale, row.actual)),
            )
            for row, x in zip(rows, places, strict=True)
        ],
    )
    return _svg(_grid(scale, ticks), _names([row.name for row in rows], places), marks, label=label)


def pairs(rows: Sequence[Pair], *, scale: Scale, ticks: Sequence[Tick], label: str) -> SafeString:
    """Two columns for each: predicted and actual."""
    places, width = _middles(len(rows)), 0.36 * (RIGHT - LEFT) / max(len(rows), 1)
    columns = format_html_join(
        "",
        '<g><title>{}</title><rect class="pl-said-bar" x="{}%" width="{}%" y="{}" height="{}"/>'
        '<rect class="pl-was-bar" x="{}%" width="{}%" y="{}" height="{}"/></g>',
        [
            (
                *(row.text, _f(x - width), _f(width), *_column(scale, row.predicted)),
                *(_f(x), _f(width), *_column(scale, row.actual)),
            )
            for row, x in zip(rows, places, strict=True)
        ],
    )
    return _svg(_grid(scale, ticks), _names([row.name for row in rows], places), columns, label=label)


def curve(points: Sequence[tuple[float, float]], *, dots: bool, names: Sequence[str], label: str) -> SafeString:
    """Shares against shares, with the diagonal. `names` are the texts of SHARES."""
    ticks = list(zip(SHARES, names, strict=True))
    at = [(_f(_across(x)), _y(SHARE_SCALE, y)) for x, y in points]
    lines = format_html_join(
        "",
        '<line class="pl-line" x1="{}%" y1="{}" x2="{}%" y2="{}"/>',
        [(*start, *end) for start, end in pairwise(at)],
    )
    circles = format_html_join("", '<circle class="pl-dot" cx="{}%" cy="{}" r="4"/>', at) if dots else ""
    diagonal = format_html('<line class="pl-even" x1="{}%" y1="{}" x2="{}%" y2="{}"/>', LEFT, TOP + HEIGHT, RIGHT, TOP)
    below = _names(names, [_across(share) for share in SHARES])
    return _svg(_grid(SHARE_SCALE, ticks), below, diagonal, lines, circles, label=label)


def window(values: Sequence[float], *, smallest: float) -> tuple[Scale, list[float]]:
    """A scale and its ticks: from 0 (to `smallest` at least), or close around values that move little high above it."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    if low <= high / 2:
        found = scale_of(values, smallest=smallest)
        return found, found.ticks
    step = nice_third(max((high - low) / 3, high / 100))
    start = math.floor(low / step)
    ticks = [step * (start + place) for place in range(max(math.ceil(high / step - 1e-9) - start, 1) + 1)]
    return Scale(low=ticks[0], high=ticks[-1]), ticks


def lines(
    series: Sequence[Sequence[Point]], *, scale: Scale, ticks: Sequence[Tick], names: tuple[str, str], label: str
) -> SafeString:
    """Lines over the same days, with their intervals; a gap where there is no value. `names`: first and last day."""
    days = [point.day for points in series for point in points]
    at = _Places(min(days), max(days), scale)
    inside = format_html(
        '<svg x="{}%" y="{}" width="{}%" height="{}" viewBox="0 0 {} {}" preserveAspectRatio="none">{}{}</svg>',
        *(LEFT, TOP, RIGHT - LEFT, HEIGHT, STRETCHED, HEIGHT),
        format_html_join("", '<path class="pl-band" d="{}"/>', [(band,) for each in series for band in at.bands(each)]),
        format_html_join(
            "",
            '<path class="pl-path pl-path-{}" vector-effect="non-scaling-stroke" d="{}"/>',
            [(number, path) for number, each in enumerate(series, start=1) for path in at.paths(each)],
        ),
    )
    dots = format_html_join(
        "",
        '<g><title>{}</title><circle class="pl-near" cx="{}%" cy="{}" r="9"/>'
        '<circle class="pl-at pl-at-{}" cx="{}%" cy="{}" r="3"/></g>',
        [dot for number, each in enumerate(series, start=1) for dot in at.dots(each, number)],
    )
    return _svg(_grid(scale, ticks), _ends(names), inside, dots, label=label)


@dataclass(frozen=True)
class _Places:
    """Where days and values stand."""

    first: date
    last: date
    scale: Scale

    def across(self, day: date) -> float:
        return (day - self.first).days / max((self.last - self.first).days, 1)

    def pair(self, day: date, value: float) -> str:
        return f"{STRETCHED * self.across(day):.1f} {float(_y(self.scale, value)) - TOP:.1f}"

    def paths(self, points: Sequence[Point]) -> Iterator[str]:
        for stretch in _stretches(points, has="value"):
            yield "M" + "L".join(self.pair(one.day, one.value or 0.0) for one in stretch)

    def bands(self, points: Sequence[Point]) -> Iterator[str]:
        for stretch in _stretches(points, has="low"):
            upper = [self.pair(one.day, one.high or 0.0) for one in stretch]
            lower = [self.pair(one.day, one.low or 0.0) for one in reversed(stretch)]
            yield "M" + "L".join([*upper, *lower]) + "Z"

    def dots(self, points: Sequence[Point], number: int) -> Iterator[tuple[str | int, ...]]:
        """Each point to be pointed at; many are not drawn."""
        for one in points:
            if one.value is not None:
                x, y = _f(_across(self.across(one.day))), _y(self.scale, one.value)
                yield one.text, x, y, number if len(points) <= MOST_DOTS else 0, x, y


def _stretches(points: Sequence[Point], *, has: str) -> Iterator[list[Point]]:
    """The points without those that lack a figure, cut where they are missing."""
    for is_there, stretch in groupby(points, key=lambda one: getattr(one, has) is not None):
        if is_there:
            yield list(stretch)


def _ends(names: tuple[str, str]) -> SafeString:
    return format_html(
        '<text class="bt" x="{}%" y="{}">{}</text><text class="bt" text-anchor="end" x="{}%" y="{}">{}</text>',
        *(LEFT, LABELS, names[0], RIGHT, LABELS, names[1]),
    )


def _svg(*parts: SafeString | str, label: str) -> SafeString:
    drawn = format_html_join("", "{}", [(part,) for part in parts])
    return format_html(
        '<svg class="plot" width="100%" height="{}" role="img" aria-label="{}">{}</svg>', WHOLE, label, drawn
    )


def _grid(scale: Scale, ticks: Sequence[Tick]) -> SafeString:
    return format_html_join(
        "",
        '<line class="bl" x1="{}%" x2="100%" y1="{}" y2="{}"/><text class="bt" x="0" y="{}">{}</text>',
        [(LEFT - 1.0, _y(scale, v), _y(scale, v), f"{float(_y(scale, v)) + 4:.1f}", text) for v, text in ticks],
    )


def _names(texts: Sequence[str], places: Sequence[float]) -> SafeString:
    return format_html_join(
        "",
        '<text class="bt" text-anchor="middle" x="{}%" y="{}">{}</text>',
        [(_f(x), LABELS, text) for text, x in zip(texts, places, strict=True)],
    )


def _middles(count: int) -> list[float]:
    return [LEFT + (place + 0.5) * (RIGHT - LEFT) / count for place in range(count)]


def _across(share: float) -> float:
    return LEFT + (RIGHT - LEFT) * share


def _column(scale: Scale, value: float) -> tuple[str, str]:
    """Top and height of a column that stands on, or hangs from, the zero line."""
    zero, end = float(_y(scale, 0.0)), float(_y(scale, value))
    return f"{min(zero, end):.1f}", f"{max(abs(zero - end), 1.0):.1f}"


def _y(scale: Scale, value: float) -> str:
    return f"{TOP + HEIGHT * (scale.high - value) / (scale.high - scale.low):.1f}"


def _f(number: float) -> str:
    return f"{number:.2f}"
