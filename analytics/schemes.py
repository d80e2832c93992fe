"""Ways to divide customers besides RFM: by value, tenure, trajectory, profitability. Names and thresholds stand here.

Each customer is judged by herself against figures of the whole shop (Thresholds), which a night finds once. Code 0 is
a customer without an order that stands; codes count from 1 in the order in which people read them.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from analytics import scores
from analytics.clv import bands
from analytics.clv.history import History

FloatArray = NDArray[np.float64]
Codes = NDArray[np.int16]

TOP_SHARE: Final = 0.80  # of all margin: what the A customers bring together
MIDDLE_SHARE: Final = 0.95  # and A and B together
NEW_GAPS: Final = 3.0  # usual gaps of the shop since the first order
LONG_GAPS: Final = 12.0
FEWEST_GAP_DAYS, MOST_GAP_DAYS, UNKNOWN_GAP_DAYS = 7.0, 120.0, 30.0
FASTER: Final = 1.5  # times as often as before, or as seldom
FEWEST_TO_COMPARE: Final = 4  # order days: the last two gaps against at least one before them


@dataclass(frozen=True, slots=True)
class Kind:
    """One segment of a scheme. Texts are English; pages translate them."""

    code: int
    slug: str
    label: str
    definition: str


@dataclass(frozen=True, slots=True)
class Scheme:
    """`column` of the scores has the code of each customer; empty where people, not nights, say who belongs."""

    slug: str
    label: str
    column: str
    definition: str
    kinds: tuple[Kind, ...] = ()


VALUE: Final = Scheme(
    "value",
    "Value tier",
    "value_tier",
    "By margin to date and predicted margin together, never below nothing.",
    (
        Kind(1, "a", "A", "The most valuable customers, who together bring 80% of the margin."),
        Kind(2, "b", "B", "The next ones, who bring the 15% after that."),
        Kind(3, "c", "C", "Everybody else: together 5% of the margin."),
    ),
)
TENURE: Final = Scheme(
    "tenure",
    "Tenure",
    "tenure",
    "By the time since the first order, against the gap that is usual between two orders of this business.",
    (
        Kind(1, "newcomers", "Newcomers", "First order less than three usual gaps ago."),
        Kind(2, "established", "Established", "First order three to twelve usual gaps ago."),
        Kind(3, "long-standing", "Long-standing", "First order at least twelve usual gaps ago."),
    ),
)
TRAJECTORY: Final = Scheme(
    "trajectory",
    "Trajectory",
    "trajectory",
    "By the last two gaps and the present silence, against the customer's own pace before.",
    (
        Kind(1, "growing", "Growing", "Order at least one and a half times as often as before."),
        Kind(2, "steady", "Steady", "Order about as often as before, or too seldom to compare."),
        Kind(3, "fading", "Fading", "Order much less often than before, or are silent longer than they used to be."),
        Kind(4, "lost", "Lost", "Silent for so long that hardly a customer of this pace comes back."),
    ),
)
PROFITABILITY: Final = Scheme(
    "profitability",
    "Profitability",
    "profitability",
    "By margin to date less costs, and the margin that is still to be expected.",
    (
        Kind(1, "profitable", "Profitable", "Have brought more than they cost, and still buy."),
        Kind(2, "not-yet-profitable", "Not yet profitable", "Cost more so far, but are expected to bring it in."),
        Kind(3, "unprofitable", "Unprofitable", "Cost more than they have brought and are expected to bring."),
        Kind(4, "inactive", "Inactive", "Have brought more than they cost, but have stopped buying."),
    ),
)
PREFERENCE: Final = Scheme(
    "preference",
    "Preference",
    "main_category",
    "By the category that most of the customer's money went to, net of what came back.",
)
NEEDS: Final = Scheme("needs", "Needs", "", "By the tags that people give.")
RFM: Final = Scheme(
    "rfm",
    "Recency and frequency",
    "segment",
    "By how lately and how often they order.",
    tuple(Kind(name.value, name.slug, name.label, "") for name in scores.Name if name),
)

COMPUTED: Final = (VALUE, TENURE, TRAJECTORY, PROFITABILITY)
SCORED: Final = (*COMPUTED, PREFERENCE)
ALL: Final = (RFM, *SCORED, NEEDS)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Figures of the whole shop. Tiers in major units; none where nobody brings any margin."""

    tier_a: float | None = None
    tier_b: float | None = None
    gap_days: float = UNKNOWN_GAP_DAYS  # the usual gap of the business

    def as_dict(self) -> dict[str, float | None]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        return cls(**data)

    @property
    def new_days(self) -> float:
        return NEW_GAPS * self.gap_days

    @property
    def long_days(self) -> float:
        return LONG_GAPS * self.gap_days


def thresholds(history: History, *, worth: FloatArray) -> Thresholds:
    """Learn the shop's figures. `worth`: margin to date and predicted, in major units, of any even sample."""
    a, b = tier_cuts(worth)
    return Thresholds(tier_a=a, tier_b=b, gap_days=usual_gap(history))


def tier_cuts(worth: FloatArray) -> tuple[float | None, float | None]:
    """The worth of the customer with whom the sum reaches 80%, and 95%, going down from the most valuable."""
    falling = -np.sort(-worth[worth > 0])
    if not falling.size:
        return None, None
    reached = np.cumsum(falling)
    last = falling.size - 1
    top, middle = (min(int(np.searchsorted(reached, share * reached[-1])), last) for share in (TOP_SHARE, MIDDLE_SHARE))
    return float(falling[top]), float(falling[middle])


def usual_gap(history: History) -> float:
    """Geometric mean of the days between two order days, within limits that keep the words' meaning."""
    again = history.order_days > 1
    gaps = int(np.sum(history.order_days[again] - 1))
    logs = float(np.sum(history.log_gaps[again]))
    if not gaps or not np.isfinite(logs):
        return UNKNOWN_GAP_DAYS
    return float(np.clip(np.exp(logs / gaps), FEWEST_GAP_DAYS, MOST_GAP_DAYS))


def value_tier(found: Thresholds, *, worth: FloatArray, known: NDArray[np.bool_]) -> Codes:
    """A, B or C; equals share the better tier, and who brings nothing is C. `known` has an order that stands."""
    tier = np.full(worth.shape, 3, np.int16)
    if found.tier_a is not None and found.tier_b is not None:
        tier[worth >= found.tier_b] = 2
        tier[worth >= found.tier_a] = 1
    return np.where(known, tier, 0).astype(np.int16)


def tenure(found: Thresholds, history: History) -> Codes:
    """Newcomer, established or long-standing."""
    age = history.first_age
    code = 1 + (age >= found.new_days).astype(np.int16) + (age >= found.long_days)
    return np.where(history.order_days > 0, code, 0).astype(np.int16)


def trajectory(history: History, *, band: NDArray[np.int8]) -> Codes:
    """Growing, steady, fading or lost. `band` is the churn band, which knows what silence is normal for her pace."""
    pace = change_of_pace(history)
    code = np.full(pace.shape, 2, np.int16)
    code[pace >= FASTER] = 1
    code[(pace <= 1.0 / FASTER) | (band == bands.MEDIUM)] = 3
    code[band == bands.HIGH] = 4
    return np.where(history.order_days > 0, code, 0).astype(np.int16)


def change_of_pace(history: History) -> FloatArray:
    """How many times as often she orders as before: her earlier mean gap over that of late; NaN for too few orders.

    Of late: the two gaps after the third-last order day, with the present silence as a third one when it is longer than
    their mean. Before: the gaps up to the third-last order day.
    """
    compared = (history.order_days >= FEWEST_TO_COMPARE) & (history.prior_age >= 0)
    since, silence = history.prior_age.astype(np.float64), history.last_age.astype(np.float64)
    late = np.maximum((since - silence) / 2.0, since / 3.0)
    before = np.divide(
        history.first_age - since, history.order_days - 3.0, out=np.full(late.shape, np.nan), where=compared
    )
    ratio = np.full(late.shape, np.nan)
    np.divide(before, late, out=ratio, where=compared & (late > 0))
    return ratio


def profitability(
    *, profit: FloatArray, expected: FloatArray, band: NDArray[np.int8], known: NDArray[np.bool_]
) -> Codes:
    """`profit`: margin to date less costs; `expected`: margin still to come; both in one unit."""
    code = np.where(profit > 0, np.where(band == bands.HIGH, 4, 1), np.where(profit + expected > 0, 2, 3))
    return np.where(known, code, 0).astype(np.int16)
