"""Small charts: the shapes stand where the figures say, and nothing that people typed becomes markup."""

import re
from itertools import pairwise

import pytest

from core import columns, drawings
from core.columns import Column


def test_sparkline_goes_from_low_to_high():
    line = re.search(r'class="spark-line" d="M([^"]*)"', drawings.sparkline([1, 2, 4])).group(1)
    heights = [float(point.split()[1]) for point in line.split("L")]
    assert heights == [33.0, 23.0, 3.0]


@pytest.mark.parametrize("values", [[], [7]])
def test_sparkline_of_nothing_is_empty(values):
    assert "<path" not in drawings.sparkline(values)


def test_a_flat_sparkline_divides_by_nothing():
    assert "nan" not in drawings.sparkline([5, 5, 5])


@pytest.mark.parametrize(("percent", "width"), [(40, "40.00"), (-3, "0.00"), (250, "100.00")])
def test_meter_is_clamped(percent, width):
    assert f'class="meter-fill" width="{width}%"' in drawings.meter(percent)


def test_meter_with_a_label_is_an_image_and_escapes_it():
    assert 'aria-label="&lt;b&gt;"' in drawings.meter(3, label="<b>")
    assert 'aria-hidden="true"' in drawings.meter(3)


def test_stack_fills_the_bar_in_order():
    svg = drawings.stack([("fill-low", 1), ("fill-medium", 0), ("fill-high", 3)], label="1 low, 3 high")
    assert re.findall(r'class="(fill-\w+)" x="([\d.]+)%" width="([\d.]+)%"', svg) == [
        ("fill-low", "0.00", "25.00"),
        ("fill-high", "25.00", "75.00"),
    ]


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([0, 0], [0, 100, 200, 300]),
        ([90, 250], [0, 100, 200, 300]),
        ([900], [0, 300, 600, 900]),
        ([901], [0, 400, 800, 1200]),
    ],
)
def test_ticks_are_round_and_cover_the_values(values, ticks):
    assert columns.scale_of(values, smallest=300).ticks == pytest.approx(ticks)


def test_a_scale_reaches_below_zero_where_a_value_does():
    scale = columns.scale_of([500, -200], smallest=3)
    assert scale.low <= -200
    assert scale.ticks[0] == pytest.approx(scale.low)
    assert 0 in [round(tick, 6) for tick in scale.ticks]


def test_columns_stand_on_the_zero_line_or_hang_from_it():
    bars = [Column(label="Jan", value=300, text="$3"), Column(label="Feb", value=-300, text="-$3")]
    scale = columns.scale_of([300, -300], smallest=3)
    svg = columns.chart(bars, scale=scale, ticks=[(tick, str(tick)) for tick in scale.ticks], label="Spend")
    (up_y, up_height), (down_y, down_height) = (
        (float(y), float(height)) for y, height in re.findall(r'y="([\d.]+)" height="([\d.]+)" rx', svg)
    )
    assert up_y + up_height == pytest.approx(scale.y(0), abs=0.1)
    assert down_y == pytest.approx(scale.y(0), abs=0.1)
    assert up_height == down_height > 0


def test_every_column_says_its_figure_and_few_are_named():
    bars = [Column(label=f"M{n}", value=n, text=f"${n}") for n in range(24)]
    scale = columns.scale_of([bar.value for bar in bars], smallest=3)
    svg = columns.chart(bars, scale=scale, ticks=[(0, "0")], label="<Spend>")
    assert svg.count("<title>") == 24
    assert svg.count('text-anchor="middle"') == 4
    assert "<Spend>" not in svg


def test_columns_do_not_overlap():
    bars = [Column(label=str(n), value=1, text="1") for n in range(12)]
    svg = columns.chart(bars, scale=columns.scale_of([1], smallest=3), ticks=[(0, "0")], label="")
    edges = [(float(x), float(x) + float(w)) for x, w in re.findall(r'x="([\d.]+)%" width="([\d.]+)%" y', svg)]
    assert all(left[1] < right[0] for left, right in pairwise(edges))
    assert edges[-1][1] <= 100
