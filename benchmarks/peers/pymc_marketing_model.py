"""The same work done by pymc-marketing 0.19.2 (MAP), in an environment of its own; prints one line of JSON.

BG/NBD and Gamma-Gamma fitted with its default priors, then for every customer P(alive), orders over a year, spend per
order and the discounted value over twelve months. It gives no churn risk and no bands here.
"""

import contextlib
import json
import logging
import resource
import sys
import time
import warnings

import numpy as np
import pandas as pd

warnings.simplefilter("ignore")  # arviz and pytensor announce their next versions; the last line must be JSON
from pymc_marketing.clv import BetaGeoModel, GammaGammaModel  # noqa: E402

DAYS = 7.0
MONTHLY = 1.1 ** (1 / 12) - 1


def main(path):
    logging.disable(logging.WARNING)
    history = np.load(path)
    frequency = history["order_days"] - 1.0
    T = history["first_age"] / DAYS
    people = pd.DataFrame(
        {
            "customer_id": np.arange(frequency.size),
            "frequency": frequency,
            "recency": T - history["last_age"] / DAYS,
            "T": T,
            "monetary_value": np.divide(history["repeat_value"], frequency, np.zeros_like(T), where=frequency > 0),
        }
    )
    loaded_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    cpu_before = time.process_time()
    started = time.perf_counter()
    with contextlib.redirect_stdout(sys.stderr):
        purchases = BetaGeoModel()
        purchases.fit(people[["customer_id", "frequency", "recency", "T"]], method="map", progressbar=False)
        again = people[(people["frequency"] > 0) & (people["monetary_value"] > 0)]
        spend = GammaGammaModel()
        spend.fit(again[["customer_id", "frequency", "monetary_value"]], method="map", progressbar=False)
        fitted = time.perf_counter()
        purchases.expected_probability_alive(people)
        purchases.expected_purchases(people, future_t=365 / DAYS)
        spend.expected_customer_spend(people)
        plain = time.perf_counter()
        value = spend.expected_customer_lifetime_value(
            purchases, people, future_t=12, discount_rate=MONTHLY, time_unit="W"
        )
    scored = time.perf_counter()
    cpu_s = time.process_time() - cpu_before
    found = purchases.idata.posterior
    print(
        json.dumps(
            {
                "fit_s": fitted - started,
                "cpu_s": cpu_s,
                "score_s": scored - fitted,
                "discounting_s": scored - plain,
                "loaded_mb": loaded_mb,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "parameters": {name: float(found[name].mean()) for name in ("r", "alpha", "a", "b")},
                "sum_of_value": float(value.sum()),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
