"""The risk that no order comes within the churn horizon, for customers with an order that stands."""

from dataclasses import dataclass

import numpy as np

from analytics.clv import bands, churn, purchase
from analytics.clv.history import WEEK, History
from analytics.clv.params import FloatArray


@dataclass(frozen=True, slots=True)
class Risks:
    """Columns as long as the history, by the purchase model alone."""

    alive: FloatArray  # P(still a customer)
    risk: FloatArray  # P(no order within the horizon)
    normal: FloatArray  # the same if she were certainly still there
    pause: FloatArray  # P(no order since the last one | alive, her pace until then)


def by_model(params: purchase.Params, known: History, horizon_days: float) -> Risks:
    """`known` has order_days ≥ 1 in every row."""
    x = (known.order_days - 1).astype(np.float64)
    t_x, T = (known.first_age - known.last_age) / WEEK, known.first_age / WEEK
    model = purchase.model_of(params)
    alive = model.p_alive(params, x, t_x, T)
    normal = model.p_silent_alive(params, horizon_days / WEEK, x, T)
    return Risks(alive, 1.0 - alive * (1.0 - normal), normal, model.p_pause(params, x, t_x, T))


def features(found: Risks, known: History) -> FloatArray:
    """What the calibration reads of each customer (churn.py): customers × churn.FEATURES."""
    sold = np.maximum(known.value + known.refunded, 0.0)
    returned = np.divide(known.refunded, sold, out=np.zeros(sold.shape), where=sold > 0)
    recent = np.where(known.prior_age >= 0, (known.prior_age - known.last_age) / 2.0, np.nan)
    return churn.features(
        risk=found.risk,
        normal_risk=found.normal,
        order_days=known.order_days,
        usual_gap=bands.usual_gap(known.order_days, known.first_age, known.last_age),
        recent_gap=recent,
        refunded=returned,
        discounted=known.discounted,
    )
