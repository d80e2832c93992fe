"""Plots of the report card as server-rendered SVG: places across are in percent, so that they stretch with the card."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.columns import Scale, scale_of

TOP, HEIGHT, LABELS, WHOLE = 10, 170, 202, 210
LEFT, RIGHT = 13.0, 97.0  # percent
HALF_MARK = 1.8  # percent, half of the line that marks a prediction
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
