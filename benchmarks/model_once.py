"""Fit and score one shop in a process of its own; prints one line of JSON (run by model_work.py)."""

import json
import resource
import sys
import time

import numpy as np

from analytics.clv import purchase, shop


def main(path: str) -> None:
    with np.load(path) as columns:
        history = shop.History(**columns)
    terms = shop.Terms()
    loaded_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    cpu_before = time.process_time()
    started = time.perf_counter()
    fitted = shop.fit(history, terms)
    learned = time.perf_counter()
    scores = shop.score(fitted, history, terms)
    scored = time.perf_counter()
    cpu_s = time.process_time() - cpu_before
    print(
        json.dumps(
            {
                "fit_s": learned - started,
                "cpu_s": cpu_s,
                "score_s": scored - learned,
                "discounting_s": 0.0,  # it is in the table that gives the orders
                "loaded_mb": loaded_mb,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "parameters": fitted.fits[purchase.BG_NBD].params.as_dict(),
                "sum_of_value": float(np.nansum(scores.clv / fitted.margin_rate)),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
