"""Plots: where marks stand, and that every figure gives finite places."""

import re
from datetime import date, timedelta

import pytest

from analytics import plots
from analytics.plots import Pair, Point, Range
from core.columns import Scale

UNIT = Scale(low=0.0, high=100.0)
NAMES = ["0%", "25%", "50%", "75%", "100%"]


def make_range(**changed):
    facts = {"name": "Jan", "predicted": 50.0, "low": 25.0, "high": 75.0, "actual": 100.0, "text": "Jan: 50"}
    return Range(**facts | changed)


def numbers(drawn, name):
    return [float(found) for found in re.findall(rf'\b{name}="(-?[\d.]+)%?"', drawn)]


def test_a_range_stands_where_its_figures_are():
    drawn = plots.ranges([make_range()], scale=UNIT, ticks=[], label="Orders")
    whole, top = plots.HEIGHT, plots.TOP
    held = re.search(r'pl-held" x1="([\d.]+)%" x2="([\d.]+)%" y1="([\d.]+)" y2="([\d.]+)"', drawn).groups()
    assert [float(each) for each in held] == [55.0, 55.0, top + 0.75 * whole, top + 0.25 * whole]
    assert f'y1="{top + 0.5 * whole}"' in drawn
    assert f'cy="{top:.1f}"' in drawn
    assert "<title>Jan: 50</title>" in drawn


def test_ranges_stand_beside_each_other():
    drawn = plots.ranges([make_range(), make_range(name="Feb")], scale=UNIT, ticks=[(50.0, "50")], label="Orders")
    assert numbers(drawn, "cx") == [34.0, 76.0]
    assert drawn.count('class="bl"') == 1


def test_pairs_stand_on_the_zero_line():
    drawn = plots.pairs([Pair(name="1", predicted=100.0, actual=50.0, text="")], scale=UNIT, ticks=[], label="")
    tops, heights = numbers(drawn, "y")[-2:], numbers(drawn, "height")[1:]
    assert tops == [plots.TOP, plots.TOP + plots.HEIGHT / 2]
    assert heights == [plots.HEIGHT, plots.HEIGHT / 2]


def test_a_pair_below_zero_hangs_from_the_zero_line():
    scale = Scale(low=-100.0, high=100.0)
    drawn = plots.pairs([Pair(name="1", predicted=-100.0, actual=0.0, text="")], scale=scale, ticks=[], label="")
    assert numbers(drawn, "height")[1:] == [plots.HEIGHT / 2, 1.0]


def test_a_curve_goes_from_corner_to_corner():
    drawn = plots.curve([(0.0, 0.0), (0.5, 0.8), (1.0, 1.0)], dots=True, names=NAMES, label="Gain")
    assert drawn.count("pl-line") == 2
    assert numbers(drawn, "cx") == [plots.LEFT, (plots.LEFT + plots.RIGHT) / 2, plots.RIGHT]
    assert numbers(drawn, "cy") == [plots.TOP + plots.HEIGHT, plots.TOP + 0.2 * plots.HEIGHT, plots.TOP]
    assert "pl-dot" not in plots.curve([(0.0, 0.0), (1.0, 1.0)], dots=False, names=NAMES, label="Gain")


def test_it_says_what_it_is_and_escapes_names():
    drawn = plots.ranges([make_range(name="<b>")], scale=UNIT, ticks=[], label='A "label"')
    assert 'role="img" aria-label="A &quot;label&quot;"' in drawn
    assert "<b>" not in drawn
    assert "style=" not in drawn


@pytest.mark.parametrize("values", [[], [0.0], [0.0, 0.0], [1e-9], [1e7], [-5.0, 3.0], [-5.0], [1e15, 1.0], [0.3, 0.5]])
def test_every_scale_holds_its_values(values):
    scale = plots.scale(values)
    assert scale.low <= min([0.0, *values])
    assert scale.high >= max([0.0, *values])
    assert scale.high > scale.low
    assert 2 <= len(scale.ticks) <= 12
    rows = [make_range(predicted=v, low=v, high=v, actual=v) for v in values]
    drawn = plots.ranges(rows, scale=scale, ticks=[(tick, "") for tick in scale.ticks], label="")
    for place in numbers(drawn, "cy"):
        assert plots.TOP - 0.1 <= place <= plots.TOP + plots.HEIGHT + 0.1


def test_nothing_to_draw():
    assert plots.ranges([], scale=plots.scale([]), ticks=[], label="").count("<g>") == 0
    assert plots.pairs([], scale=plots.scale([]), ticks=[], label="").count("<g>") == 0
    assert "pl-line" not in plots.curve([], dots=True, names=NAMES, label="")


def day(number):
    return date(2026, 1, number)


def make_lines(*series, scale=UNIT):
    return plots.lines(series, scale=scale, ticks=[(0.0, "0")], names=("1 Jan", "11 Jan"), label="Value")


def test_a_line_goes_from_the_first_day_to_the_last():
    drawn = make_lines([Point(day=day(1), value=0.0, text="none"), Point(day=day(11), value=100.0, text="all")])
    assert f'd="M0.0 {plots.HEIGHT:.1f}L1000.0 0.0"' in drawn
    assert numbers(drawn, "cx") == [13.0, 13.0, 97.0, 97.0]
    assert "<title>all</title>" in drawn


def test_a_gap_cuts_the_line():
    values = [10.0, 20.0, None, 30.0, 40.0]
    drawn = make_lines([Point(day=day(1 + place), value=value) for place, value in enumerate(values)])
    assert drawn.count('class="pl-path') == 2
    assert drawn.count("<title>") == 4


def test_the_interval_is_there_where_it_is_known():
    points = [
        Point(day=day(1), value=50.0),
        Point(day=day(2), value=50.0, low=25.0, high=75.0),
        Point(day=day(3), value=50.0, low=25.0, high=75.0),
    ]
    drawn = make_lines(points)
    assert drawn.count("pl-band") == 1
    assert 'd="M500.0 42.5L1000.0 42.5L1000.0 127.5L500.0 127.5Z"' in drawn


def test_two_lines_differ():
    line = [Point(day=day(1), value=1.0), Point(day=day(2), value=2.0)]
    drawn = make_lines(line, line)
    assert "pl-path-1" in drawn
    assert "pl-path-2" in drawn


def test_many_points_are_there_to_be_pointed_at_only():
    drawn = make_lines([Point(day=day(1) + timedelta(days=place), value=1.0) for place in range(plots.MOST_DOTS + 1)])
    assert drawn.count("pl-at-0") == plots.MOST_DOTS + 1


def test_one_day_has_a_place():
    assert numbers(make_lines([Point(day=day(1), value=1.0)]), "cx") == [13.0, 13.0]


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [([0.0, 100.0], 0.0, 120.0), ([100.0, 110.0], 100.0, 112.0), ([-50.0, 100.0], -120.0, 120.0), ([0.0], 0.0, 3.0)],
)
def test_a_window_holds_its_values(values, low, high):
    scale, ticks = plots.window(values, smallest=3.0)
    assert scale.low <= min(values) <= max(values) <= scale.high
    assert (scale.low, scale.high) == (pytest.approx(low), pytest.approx(high))
    assert ticks[0] == pytest.approx(scale.low)
    assert len(ticks) <= 6


@pytest.mark.parametrize("values", [[1e15, 1e15 + 1], [5.0, 5.0], [1e-9, 1e-9], [], [-5.0, -1.0]])
def test_every_window_is_open(values):
    scale, ticks = plots.window(values, smallest=3.0)
    assert scale.high > scale.low
    assert 2 <= len(ticks) <= 8
