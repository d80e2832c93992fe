"""Report cards made by hand: a model that is right, one changed fact at a time."""

from analytics.clv import churn
from analytics.clv.measures import Group
from analytics.clv.report_card import Card, Plain, Total

GROUPS = [Group(100, 0.1 * place, 0.11 * place) for place in range(10)]


def make_card(**changed):
    return Card(
        **{
            "origin": "2025-03-31",
            "horizon_days": 365,
            "model": "MBG/NBD",
            "spend_model": "Shrunken mean",
            "customers": 1000,
            "orders": Total(1000.0, 800.0, 1250.0, 1000.0),
            "spend": Total(50_000.0, 40_000.0, 62_500.0, 51_000.0),
            "mae": 0.8,
            "coverage_80": 0.8,
            "naive_mae": 1.0,
            "naive": Plain(1500.0, 75_000.0, 1.0),
            "raw": Plain(1100.0, 45_000.0, 0.85),
            "silent": 0.4,
            "brier": 0.15,
            "gini": 0.6,
            "groups": GROUPS,
            "gain": [0.18, 0.34, 0.48, 0.62, 0.73, 0.83, 0.9, 0.96, 0.99, 1.0],
            "reasons": [],
        }
        | changed
    )


def make_cards(count=3):
    return [make_card(origin=f"2025-0{place + 1}-28") for place in range(count)]


def make_learned(**changed):
    """A calibration that was tested on 2,000 customers of whom half left."""
    calibration = churn.Calibration((0.0,) * 7, (0.0,) * 6, 6000)
    curve = tuple(churn.Bin(200, 0.05 + 0.1 * place, 0.05 + 0.1 * place) for place in range(10))
    return churn.Learned(
        **{"calibration": calibration, "tested_on": 2000, "brier": 0.15, "brier_model": 0.16, "curve": curve} | changed
    )
