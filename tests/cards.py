"""Report cards made by hand: a model that is right, one changed fact at a time."""

import json
from dataclasses import replace

import numpy as np

from analytics.clv import churn
from analytics.clv.backtest import OriginScores, PurchaseScore, SpendScore
from analytics.clv.choice import Choice
from analytics.clv.measures import Group
from analytics.clv.report_card import Card, Plain, Total
from analytics.clv.rolling import LastMonth
from tests import desk

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


def make_origin(card, **models):
    """The scores of a card's day: MBG/NBD as on the card, BG/NBD a tenth too high, the baseline as on the card."""
    score = PurchaseScore(predicted=card.orders.predicted, mae=card.mae, gini=card.gini, groups=card.groups)
    known = {"MBG/NBD": score, "BG/NBD": replace(score, predicted=1.1 * card.orders.actual)} | models
    money = {"Shrunken mean": SpendScore(predicted=50_000.0, totals={"MBG/NBD": 0.9 * 51_000.0})}
    return OriginScores(
        day=int(np.datetime64(card.origin, "D").astype(np.int64)),
        horizon_days=card.horizon_days,
        customers=card.customers,
        orders=round(card.orders.actual),
        spend=51_000.0,
        naive=replace(score, predicted=card.naive.orders, mae=card.naive_mae),
        purchase={name: found for name, found in known.items() if found},
        money=money,
    )


def make_last_month(count=3, **changed):
    """The models of a month ago, other ones than today's, a fifth too high on every day."""
    return LastMonth(
        "Pareto/NBD", "Log-normal", [Plain(**{"orders": 1200.0, "spend": 61_200.0, "mae": 0.9} | changed)] * count
    )


def make_look_back(cards, *, learned=None, until="2026-03-31", last_month=None, one_in=1, **choice):
    """What a night keeps of its look back, as it comes out of the database."""
    chosen = Choice(
        **{
            "purchase": "MBG/NBD",
            "spend": "Shrunken mean",
            "reasons": ["No season: None."],
            "origins": [make_origin(card) for card in cards],
        }
        | choice
    )
    found = {
        "key": {"until": until},
        "choice": chosen.as_dict(),
        "churn": (learned or make_learned()).as_dict(),
        "cards": [card.as_dict() for card in cards],
        "last_month": last_month.as_dict() if last_month else None,
        "one_in": one_in,
    }
    return json.loads(json.dumps(found))


def make_looked_back(cards, *, as_of=desk.AS_OF, grades=None, **fields):
    """A published night with that look back."""
    model = {"fitted": desk.FITTED, "look_back": make_look_back(cards, **fields)}
    run = desk.make_night(as_of=as_of, model=model)
    run.stats["grades"] = grades or {}
    run.save(update_fields=["stats"])
    return run
