"""A column chart as server-rendered SVG: horizontal positions in percent, so it stretches with its card."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

TOP, HEIGHT, LABEL_BASE = 10, 112, 142
AXIS_PERCENT = 14
THINNEST = 1.5
NAMED_COLUMNS = 4
ROUND = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True, kw_only=True)
class Column:
    label: str
    value: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Where values stand: `low` is 0 unless a value lies below it."""

    low: float
    high: float

    def y(self, value: float) -> float:
        return TOP + HEIGHT * (self.high - value) / (self.high - self.low)

    @property
    def ticks(self) -> list[float]:
        step = self.high / 3 if self.low == 0 else max(self.high, -self.low) / 2
        first = -math.ceil(-self.low / step - 1e-9) if self.low < 0 else 0
        return [i * step for i in range(first, round(self.high / step) + 1)]


def nice_third(value: float) -> float:
    """The next round step (one of ROUND times a power of ten) at or above `value`; 1 for nothing."""
    if value <= 0:
        return 1
    power = float(10 ** math.floor(math.log10(value)))
    return next(step * power for step in ROUND if step * power >= value * (1 - 1e-9))


def scale_of(values: Sequence[float], *, smallest: float) -> Scale:
    """A scale from zero to three round steps above the largest value, at least to `smallest`."""
    low = min([0.0, *values])
    high = nice_third(max([smallest, *values]) / 3) * 3
    return Scale(low=-high * math.ceil(-low / high) if low < 0 else 0.0, high=high)


def chart(columns: Sequence[Column], *, scale: Scale, ticks: Sequence[tuple[float, str]], label: str) -> SafeString:
    """Columns on a grid. `ticks` are (value, text). Values below zero hang from the zero line."""
    return format_html(
        '<svg class="barsvg" width="100%" height="150" role="img" aria-label="{}">{}{}{}</svg>',
        label,
        grid(scale, ticks),
        shapes(columns, scale),
        names(columns),
    )


def grid(scale: Scale, ticks: Sequence[tuple[float, str]]) -> SafeString:
    return format_html_join(
        "",
        '<line class="bl" x1="{}%" x2="100%" y1="{}" y2="{}"/><text class="bt" x="0" y="{}">{}</text>',
        [(AXIS_PERCENT, f"{scale.y(v):.1f}", f"{scale.y(v):.1f}", f"{scale.y(v) + 4:.1f}", text) for v, text in ticks],
    )


def shapes(columns: Sequence[Column], scale: Scale) -> SafeString:
    width = (100 - AXIS_PERCENT) / max(len(columns), 1)
    zero = scale.y(0)
    return format_html_join(
        "",
        '<rect class="{}" x="{}%" width="{}%" y="{}" height="{}" rx="2"><title>{}: {}</title></rect>',
        [
            (
                "br" if column.value >= 0 else "br br-below",
                f"{AXIS_PERCENT + (i + 0.17) * width:.2f}",
                f"{width * 0.66:.2f}",
                f"{min(scale.y(column.value), zero - THINNEST) if column.value >= 0 else zero:.1f}",
                f"{max(abs(scale.y(column.value) - zero), THINNEST):.1f}",
                column.label,
                column.text,
            )
            for i, column in enumerate(columns)
        ],
    )


def names(columns: Sequence[Column]) -> SafeString:
    """The labels under the columns: about four, so that two years still read on a phone."""
    width = (100 - AXIS_PERCENT) / max(len(columns), 1)
    every = max(1, math.ceil(len(columns) / NAMED_COLUMNS))
    return format_html_join(
        "",
        '<text class="bt" text-anchor="middle" x="{}%" y="{}">{}</text>',
        [
            (f"{AXIS_PERCENT + (i + 0.5) * width:.2f}", LABEL_BASE, column.label)
            for i, column in enumerate(columns)
            if i % every == every // 2
        ],
    )
