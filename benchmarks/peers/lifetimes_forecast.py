"""What lifetimes 0.11.3 says of one split, BG/NBD and Gamma-Gamma; prints one line of JSON.

It gets the histories of the split in columns (`calibration_and_holdout_data` crashes on current pandas) and gives
the order days and the money of each customer's next days.
"""

import json
import sys

import lifetimes
import numpy as np
import pandas as pd

DAYS = 7.0


def main(path):
    history = np.load(path)
    frequency = pd.Series(history["order_days"] - 1.0)
    T = pd.Series(history["first_age"] / DAYS)
    recency = T - history["last_age"] / DAYS
    mean = (history["repeat_value"] / frequency).where(frequency > 0, 0.0)
    horizon = float(history["horizon_days"]) / DAYS

    found = {"orders": float("nan"), "mae": float("nan"), "spend": float("nan"), "problems": []}
    try:
        purchases = lifetimes.BetaGeoFitter().fit(frequency, recency, T)
        orders = purchases.conditional_expected_number_of_purchases_up_to_time(horizon, frequency, recency, T)
        found |= {"orders": float(orders.sum()), "mae": float(np.abs(orders - history["later_days"]).mean())}
        again = (frequency > 0) & (mean > 0)
        spend = lifetimes.GammaGammaFitter().fit(frequency[again], mean[again])
        found["spend"] = float((orders * spend.conditional_expected_average_profit(frequency, mean)).sum())
    except Exception as problem:  # whatever stops it is its answer
        found["problems"].append(" ".join(f"{type(problem).__name__}: {problem}".split())[:160])
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
