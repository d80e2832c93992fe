"""What the page of liability draws, as SVG that stretches with its card; tables beside it say the same in figures."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.columns import nice_third

TOP, HEIGHT, LABELS, WHOLE = 10, 170, 202, 210
LEFT, RIGHT = 12.0, 99.5  # percent
BESIDE: Final = -8  # pixels from the axis to its figures
ACROSS: Final = 1000  # units of what is drawn as a path
NAMED: Final = 4
GAP: Final = 0.18  # of a column's width, on each side


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a column, above the line or below it; `css` is its class."""

    css: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The parts of a column from the line outwards. `text` says all of it."""

    name: str
    text: str
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Round steps around all values, with zero among them."""

    low: float
    high: float
    step: float

    def y(self, value: float) -> float:
        return TOP + HEIGHT * (self.high - value) / (self.high - self.low)

    @property
    def ticks(self) -> list[float]:
        return [self.low + self.step * i for i in range(round((self.high - self.low) / self.step) + 1)]


def axis(values: Sequence[float], *, smallest: float) -> Axis:
    low, high = min([0.0, *values]), max([0.0, *values])
    step = nice_third(max(high, -low, smallest) / 3)
    return Axis(low=-step * math.ceil(-low / step - 1e-9), high=step * max(math.ceil(high / step - 1e-9), 1), step=step)


def area(points: Sequence[tuple[str, float, str]], *, scale: Axis, ticks: Sequence[str], label: str) -> SafeString:
    """Values over time as (name, value, text), from zero."""
    line = _path([value for _name, value, _text in points], scale)
    zero = scale.y(0) - TOP
    inside = format_html(
        '<svg x="{}%" y="{}" width="{}%" height="{}" viewBox="0 0 {} {}" preserveAspectRatio="none">'
        '<path class="lia-area" d="{}"/><path class="pl-path pl-path-1" vector-effect="non-scaling-stroke" d="{}"/>'
        "</svg>",
        *(LEFT, TOP, RIGHT - LEFT, HEIGHT, ACROSS, HEIGHT),
        *(f"{line}L{ACROSS} {zero:.1f}L0 {zero:.1f}Z", line),
    )
    width = (RIGHT - LEFT) / max(len(points) - 1, 1)
    marks = format_html_join(
        "",
        '<g><title>{}</title><rect class="lia-near" x="{}%" width="{}%" y="{}" height="{}"/>'
        '<circle class="pl-at pl-at-1 lia-at" cx="{}%" cy="{}" r="3.5"/></g>',
        [
            (text, f"{x - width / 2:.2f}", f"{width:.2f}", TOP, HEIGHT, f"{x:.2f}", f"{scale.y(value):.1f}")
            for x, (_name, value, text) in zip(_edges(len(points)), points, strict=True)
        ],
    )
    below = _names([name for name, *_rest in points], _edges(len(points)), ends=True)
    return _svg(_grid(scale, ticks), inside, marks, below, label=label)


def lines(
    rows: Sequence[tuple[str, Sequence[float], str]], *, scale: Axis, ticks: Sequence[str], label: str
) -> SafeString:
    """Two values over time as (name, values, text), the first of them drawn on top."""
    edges = _edges(len(rows))
    width = (RIGHT - LEFT) / max(len(rows) - 1, 1)
    paths = format_html_join(
        "",
        '<path class="pl-path pl-path-{}" vector-effect="non-scaling-stroke" d="{}"/>',
        [(2 - i, _path([values[1 - i] for _name, values, _text in rows], scale)) for i in range(2)],
    )
    inside = format_html(
        '<svg x="{}%" y="{}" width="{}%" height="{}" viewBox="0 0 {} {}" preserveAspectRatio="none">{}</svg>',
        *(LEFT, TOP, RIGHT - LEFT, HEIGHT, ACROSS, HEIGHT, paths),
    )
    marks = format_html_join(
        "",
        '<g><title>{}</title><rect class="lia-near" x="{}%" width="{}%" y="{}" height="{}"/></g>',
        [
            (text, f"{x - width / 2:.2f}", f"{width:.2f}", TOP, HEIGHT)
            for x, (_name, _values, text) in zip(edges, rows, strict=True)
        ],
    )
    below = _names([name for name, *_rest in rows], edges, ends=True)
    return _svg(_grid(scale, ticks), inside, marks, below, label=label)


def _path(values: Sequence[float], scale: Axis) -> str:
    """From edge to edge; one value alone is a level line."""
    rows = values if len(values) > 1 else [*values, *values]
    steps = (f"{ACROSS * i / (len(rows) - 1):.1f} {scale.y(value) - TOP:.1f}" for i, value in enumerate(rows))
    return "M" + "L".join(steps)


def stacks(columns: Sequence[Stack], *, scale: Axis, ticks: Sequence[str], label: str) -> SafeString:
    """Columns of parts: what is above zero goes up, what is below goes down."""
    width = (RIGHT - LEFT) / max(len(columns), 1)
    places = [LEFT + (i + 0.5) * width for i in range(len(columns))]
    drawn = format_html_join(
        "",
        '<g><title>{}</title><rect class="lia-near" x="{}%" width="{}%" y="{}" height="{}"/>{}</g>',
        [
            (one.text, f"{x - width / 2:.2f}", f"{width:.2f}", TOP, HEIGHT, _parts(one, x, width, scale))
            for x, one in zip(places, columns, strict=True)
        ],
    )
    return _svg(_grid(scale, ticks), drawn, _names([one.name for one in columns], places), label=label)


def _parts(one: Stack, x: float, width: float, scale: Axis) -> SafeString:
    up = down = 0.0
    found = []
    for part in one.parts:
        if part.value >= 0:
            found.append((part.css, up, up + part.value))
            up += part.value
        else:
            found.append((part.css, down + part.value, down))
            down += part.value
    return _rects(found, x, width, scale)


def _rects(parts: Sequence[tuple[str, float, float]], x: float, width: float, scale: Axis) -> SafeString:
    """`parts` are (class, from, to)."""
    return format_html_join(
        "",
        '<rect class="{}" x="{}%" width="{}%" y="{}" height="{}"/>',
        [
            (
                *(css, f"{x - width * (0.5 - GAP):.2f}", f"{width * (1 - 2 * GAP):.2f}"),
                *(f"{scale.y(high):.1f}", f"{scale.y(low) - scale.y(high):.1f}"),
            )
            for css, low, high in parts
            if high > low
        ],
    )


def _grid(scale: Axis, ticks: Sequence[str]) -> SafeString:
    return format_html_join(
        "",
        '<line class="bl" x1="{}%" x2="{}%" y1="{}" y2="{}"/>'
        '<text class="bt" text-anchor="end" x="{}%" dx="{}" y="{}">{}</text>',
        [
            (LEFT, RIGHT, *(f"{scale.y(tick):.1f}",) * 2, LEFT, BESIDE, f"{scale.y(tick) + 4:.1f}", text)
            for tick, text in zip(scale.ticks, ticks, strict=True)
        ],
    )


def _edges(number: int) -> list[float]:
    """Places from the left end to the right one."""
    return [LEFT + (RIGHT - LEFT) * i / max(number - 1, 1) for i in range(number)]


def _names(names: Sequence[str], places: Sequence[float], *, ends: bool = False) -> SafeString:
    """Some of the names below: about NAMED of them, or the first and the last."""
    every = max(1, math.ceil(len(names) / NAMED))
    chosen = sorted({0, len(names) - 1}) if ends else range(every // 2, len(names), every)
    anchors = {0: "start", len(names) - 1: "end"} if ends else {}
    return format_html_join(
        "",
        '<text class="bt" text-anchor="{}" x="{}%" y="{}">{}</text>',
        [(anchors.get(i, "middle"), f"{places[i]:.2f}", LABELS, names[i]) for i in chosen],
    )


def _svg(*parts: SafeString, label: str) -> SafeString:
    return format_html(
        '<svg class="plot" width="100%" height="{}" role="img" aria-label="{}">{}</svg>',
        WHOLE,
        label,
        format_html_join("", "{}", [(part,) for part in parts]),
    )
