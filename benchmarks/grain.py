"""How far fitted parameters are from the truth, in standard errors, raw and corrected for the grain of a day.

    uv run python -m benchmarks.grain [--customers N] [--seed N ...]

Shops of known truth are played out by the moment and merged to days, as a shop's facts are. The raw fit is BG/NBD or
MBG/NBD on order days; the correction is the engine's. Standard errors come from the curvature of the likelihood.
"""

import argparse
import time

import numpy as np

from analytics.clv import beta_geometric, bgnbd, grain, mbgnbd
from analytics.clv.params import BgNbdParams, FloatArray, MbgNbdParams
from benchmarks import simulated

WEEK = 7.0
GOAL = 2.0  # standard errors

# name, truth in weeks, ages in days from and to
SHOPS: tuple[tuple[str, BgNbdParams | MbgNbdParams, int, int], ...] = (
    ("two years, BG/NBD", simulated.PURCHASE, 1, 730),
    ("two years, MBG/NBD", MbgNbdParams(r=0.55, alpha=10.0, a=0.9, b=2.4), 1, 730),
    ("like CDNOW, BG/NBD", BgNbdParams(r=0.243, alpha=4.414, a=0.793, b=2.426), 182, 272),
    ("like CDNOW, MBG/NBD", MbgNbdParams(r=0.525, alpha=6.183, a=0.891, b=1.614), 182, 272),
    ("every tenth day, BG/NBD", BgNbdParams(r=1.0, alpha=10 / 7, a=0.5, b=5.0), 1, 365),
    ("every tenth day, MBG/NBD", MbgNbdParams(r=1.0, alpha=10 / 7, a=0.5, b=5.0), 1, 365),
    ("every other day, BG/NBD", BgNbdParams(r=2.0, alpha=5 / 7, a=0.8, b=8.0), 1, 365),
    ("every other day, MBG/NBD", MbgNbdParams(r=2.0, alpha=5 / 7, a=0.8, b=8.0), 1, 365),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, action="append", help="default: one, 20")
    options = parser.parse_args()
    print(f"{options.customers:,} customers a shop; distances from the truth in standard errors, of r, α, a, b")
    for seed in options.seed or [20]:
        met = [_shop(options.customers, seed, *shop) for shop in SHOPS]
        print(f"seed {seed}: all four within {GOAL:.0f} standard errors in {sum(met)} of {len(met)} shops")


def _shop(customers: int, seed: int, name: str, truth: BgNbdParams | MbgNbdParams, youngest: int, days: int) -> bool:
    history = simulated.shop(customers, seed=seed, days=days, youngest=youngest, purchase=truth)
    x, t_x = history.order_days - 1, history.first_age - history.last_age
    started = time.perf_counter()
    tally = beta_geometric.tally_days(x=x, t_x=t_x, T=history.first_age, days=WEEK)
    raw = mbgnbd.fit(tally).params if isinstance(truth, MbgNbdParams) else bgnbd.fit(tally).params
    fitted = time.perf_counter()
    found = grain.corrected(raw, x=x, t_x=t_x, T=history.first_age, days=WEEK)
    corrected = time.perf_counter()
    data = grain.tally(x=x, t_x=t_x, T=history.first_age)
    error = np.array(list(grain.standard_errors(found.params, data, days=WEEK).values()))
    before, after = (_logs(params) - _logs(truth) for params in (raw, found.params))
    print(
        f"{name:26} raw {_row(before / error)}  {fitted - started:5.2f} s   "
        f"corrected {_row(after / error)}  + {corrected - fitted:4.2f} s, {found.steps} steps {found.reason}"
    )
    return bool(np.all(np.abs(after) <= GOAL * error))


def _logs(params: BgNbdParams | MbgNbdParams) -> FloatArray:
    return np.log(list(params.as_dict().values()))


def _row(distances: FloatArray) -> str:
    return " ".join(f"{distance:+7.1f}" for distance in distances)


if __name__ == "__main__":
    main()
