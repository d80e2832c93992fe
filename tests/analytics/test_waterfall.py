"""The waterfall, its tints and its sentence, from changes made by hand."""

import re

import pytest
from django.utils import translation

from analytics import schemes, value_words, waterfall
from analytics.clv.drivers import Totals
from analytics.selectors.value_drivers import PARTS, BySegment, Change
from core.models import Business

DOLLARS, YEN = Business(currency="USD"), Business(currency="JPY")
ENDS = ("1 Jan", "1 Apr")


def totals(**changed):
    return Totals(**{"customers": 200, "lifetime": 300_000, "year": 100_000, "orders": 500.0} | changed)


def make_change(*, before=300_000, contracts=(0, 0), **parts):
    """A change made of these parts."""
    after = before + sum(parts.values())
    parts = dict.fromkeys(PARTS, 0) | parts | {"contracts": contracts[1] - contracts[0]}
    return Change(
        label="All",
        before=totals(lifetime=before),
        after=totals(lifetime=after),
        contracts=contracts,
        parts=parts,
    )


def steps(change, business=DOLLARS, horizon="lifetime"):
    names = waterfall.names(horizon, change)
    return waterfall.steps(change, names=names, ends=ENDS, business=business)


def bars(found):
    """Left edge and width of each bar, in percent."""
    pattern = r'class="wf-(up|down)" x="([\d.]+)%" width="([\d.]+)%"'
    return [(sign, float(x), float(width)) for step in found for sign, x, width in re.findall(pattern, step.bar)]


def test_bars_hang_together():
    found = steps(make_change(customers=60_000, frequency=-30_000))
    (up, x, width), (down, x2, width2) = bars(found)  # none for what did not move
    assert (up, down) == ("up", "down")
    assert x2 + width2 == pytest.approx(x + width, abs=0.02)  # what falls begins where what rose ended
    assert width == pytest.approx(2 * width2, abs=0.05)


def test_the_ends_stand_at_their_values():
    found = steps(make_change(money=50_000))
    first, last = (float(re.search(r'cx="([\d.]+)%"', step.bar).group(1)) for step in (found[0], found[-1]))
    assert 0 < first < last < 100
    assert [step.is_end for step in found] == [True, False, False, False, False, True]


@pytest.mark.parametrize("change", [{}, {"before": 0}, {"before": 0, "customers": 10**13}, {"customers": -300_000}])
def test_every_change_can_be_drawn(change):
    for step in steps(make_change(**change)):
        places = [float(found) for found in re.findall(r'="(-?[\d.]+)%"', step.bar)]
        assert all(0 <= place <= 100 for place in places)
        assert "nan" not in step.bar


def test_notes_tell_a_driver_on_both_nights():
    notes = [step.note for step in steps(make_change(time=30_000))]
    assert notes == [
        "",
        "200 → 200",
        "3.00 → 3.30 years",
        "2.50 → 2.50 orders a year",
        "$2.00 → $2.00 an order",
        "",
    ]


def test_a_currency_without_decimals():
    assert steps(make_change(), YEN)[4].note == "¥200 → ¥200 an order"


def test_where_nothing_was_there_is_nothing_to_compare():
    assert {step.note for step in steps(make_change(before=0, customers=5))} == {""}


def test_contracts_show_where_there_are_some():
    assert "contracts" not in waterfall.names("lifetime", make_change())
    change = make_change(contracts=(1_000, 0))
    assert waterfall.names("12m", change) == ["customers", "frequency", "money", "contracts"]
    assert steps(change)[-2].note == "$10 → $0"


def test_tints_say_how_much_a_part_weighs():
    rows = [make_change(customers=1_000, money=-200), make_change(customers=1)]
    found = BySegment(scheme=schemes.RFM, rows=rows, total=make_change())
    (first, second) = waterfall.table(found, names=("customers", "time", "money"))
    assert [cell.css for cell in first[1]] == ["dv up-5", "", "dv down-1"]
    assert [cell.css for cell in second[1]] == ["dv up-1", "", ""]


def said(change, business=DOLLARS):
    return value_words.what_changed(change, horizon="lifetime", business=business)


def test_the_main_reason_and_what_stood_against_it():
    assert said(make_change(customers=60_000, frequency=-30_000)) == (
        "The lifetime value rose by $300 (+10.0%). The main reason: there are more customers (+$600)."
        " Against it: a customer is expected to order less often (−$300)."
    )


def test_a_fall():
    assert said(make_change(time=-30_000, money=100)) == (
        "The lifetime value fell by $299 (−10.0%). The main reason: customers are expected to leave sooner (−$300)."
    )


def test_contracts_can_be_the_reason():
    assert (
        said(make_change(contracts=(0, 3_000)))
        == "The lifetime value rose by $30 (+1.0%). The main reason: contracts are worth more (+$30)."
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (make_change(), "The lifetime value is as it was."),
        (make_change(money=40), "The lifetime value is as it was."),  # 40 cents
        (make_change(before=0, customers=500), "The lifetime value rose from nothing."),
        (make_change(customers=-300_000), "The lifetime value fell to nothing."),
    ],
)
def test_short_sentences(change, sentence):
    assert said(change) == sentence


def test_figures_are_written_as_the_reader_writes_them():
    with translation.override("de"):
        assert "600\N{NO-BREAK SPACE}$" in said(make_change(customers=60_000))
