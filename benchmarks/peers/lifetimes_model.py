"""The same work done by lifetimes 0.11.3, in an environment of its own; prints one line of JSON.

BG/NBD and Gamma-Gamma fitted, then for every customer P(alive), orders over a year, spend per order and
the discounted value over twelve months. It has no churn risk and no bands, and gives no MBG/NBD here.
"""

import json
import resource
import sys
import time

import lifetimes
import numpy as np
import pandas as pd

DAYS = 7.0
MONTHLY = 1.1 ** (1 / 12) - 1


def main(path):
    history = np.load(path)
    frequency = pd.Series(history["order_days"] - 1.0)
    T = pd.Series(history["first_age"] / DAYS)
    recency = T - history["last_age"] / DAYS
    mean = (history["repeat_value"] / frequency).where(frequency > 0, 0.0)
    loaded_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    cpu_before = time.process_time()
    started = time.perf_counter()
    purchases = lifetimes.BetaGeoFitter().fit(frequency, recency, T)
    again = (frequency > 0) & (mean > 0)
    spend = lifetimes.GammaGammaFitter().fit(frequency[again], mean[again])
    fitted = time.perf_counter()
    purchases.conditional_probability_alive(frequency, recency, T)
    purchases.conditional_expected_number_of_purchases_up_to_time(365 / DAYS, frequency, recency, T)
    spend.conditional_expected_average_profit(frequency, mean)
    plain = time.perf_counter()
    value = spend.customer_lifetime_value(
        purchases, frequency, recency, T, mean, time=12, discount_rate=MONTHLY, freq="W"
    )
    scored = time.perf_counter()
    cpu_s = time.process_time() - cpu_before
    print(
        json.dumps(
            {
                "fit_s": fitted - started,
                "cpu_s": cpu_s,
                "score_s": scored - fitted,
                "discounting_s": scored - plain,
                "loaded_mb": loaded_mb,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "parameters": {name: float(value) for name, value in purchases.params_.items()},
                "sum_of_value": float(value.sum()),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
