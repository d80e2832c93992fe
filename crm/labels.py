"""Words for what the database keeps as numbers and codes: segments, risk bands, steps of a night."""

from dataclasses import dataclass
from typing import Final

from analytics import scores
from analytics.clv import bands

BANDS: Final = {bands.LOW: "low", bands.MEDIUM: "medium", bands.HIGH: "high"}
SEGMENTS: Final = [name for name in scores.Name if name is not scores.Name.NONE]

STEPS: Final = {
    "margins": "Apply margin rates",
    "totals": "Add up days",
    "summaries": "Add up purchases",
    "fit": "Fit the models",
    "score": "Score customers",
    "index": "Index and total",
    "publish": "Publish",
    "segments": "Assign segments",
    "tidy": "Tidy up",
}

DEFINITIONS: Final = {
    scores.Name.CHAMPIONS: "Bought lately and often.",
    scores.Name.LOYAL: "Buy often, not only in the last weeks.",
    scores.Name.POTENTIAL_LOYALISTS: "Bought lately, and more than once or twice.",
    scores.Name.NEW: "Bought for the first time very lately.",
    scores.Name.PROMISING: "Bought for the first time not long ago.",
    scores.Name.NEEDS_ATTENTION: "Average in time and number of orders.",
    scores.Name.ABOUT_TO_SLEEP: "Few orders, the last one a while ago.",
    scores.Name.AT_RISK: "Ordered often enough, but not for long.",
    scores.Name.CANT_LOSE: "Ordered most often of all, but not for long.",
    scores.Name.HIBERNATING: "Few orders, the last one long ago.",
}


def segment(code: int) -> scores.Name:
    return scores.Name(code)


def segment_of(slug: str) -> scores.Name | None:
    """The segment with a slug; None when there is no such one."""
    return next((name for name in SEGMENTS if name.slug == slug), None)


def band(code: int) -> str:
    """`low`, `medium`, `high`, or nothing."""
    return BANDS.get(code, "")


def step(name: str) -> str:
    return STEPS.get(name, name.replace("_", " ").capitalize())


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A key figure in words: `kind` is how its amount is written, `rows` the customers behind it."""

    label: str
    kind: str
    note: str
    definition: str
    rows: str


FIGURES: Final = {
    "revenue": Figure(
        label="Revenue",
        kind="money_short",
        note="against the days before",
        definition="Order value net of tax in the period, less what came back in it. Guests are included.",
        rows="?sort=-value",
    ),
    "clv": Figure(
        label="Average CLV",
        kind="money_whole",
        note="predicted, 12 months",
        definition="Expected margin of the next 365 days, discounted, averaged over all customers with an order.",
        rows="?sort=-clv",
    ),
    "active": Figure(
        label="Active customers",
        kind="count",
        note="ordered lately",
        definition="Customers whose last order is within the days that count as leaving, 90 unless changed.",
        rows="?sort=-last",
    ),
    "risk": Figure(
        label="Value at risk",
        kind="money_short",
        note="CLV with raised risk",
        definition="Predicted 12-month value of the customers whose churn risk is medium or high for their own pace.",
        rows="?risk=high&risk=medium&sort=-clv",
    ),
}
