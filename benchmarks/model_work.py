"""Model work, summary arrays to scores, beside lifetimes and pymc-marketing in the same run.

    uv run python -m benchmarks.model_work [--customers N] [--rounds N] [--peer NAME ...] [--no-peer]

A shop of known truth is simulated once; each round runs each side in a fresh process on one thread of BLAS. lifetimes
0.11.3 and pymc-marketing 0.19.2 (MAP) fit BG/NBD and Gamma-Gamma and give P(alive), orders over a year, spend an order
and the discounted value of twelve months. Ours is measured twice: the same work, and all of a night, which also fits
MBG/NBD and a spend model for heavy tails, corrects both for the grain of a day, and gives churn risk and bands, 36
months and a lifetime, the next order and an 80 % interval of each customer's orders and value. The code that
pymc-marketing compiles is compiled before, on a small shop that is not measured. Medians of the rounds; on a machine
with other work look at the seconds of CPU.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from analytics.clv.history import History
from benchmarks import simulated

HERE = Path(__file__).parent
COMMON = ("pandas==3.1.1", "numpy==2.4.6", "scipy==1.17.1")
SAME, NIGHT = "ours, the same work", "ours, all of a night"
OURS = {side: (sys.executable, "-m", "benchmarks.model_once", way) for side, way in ((SAME, "same"), (NIGHT, "night"))}


def peer(script: str, *pins: str) -> tuple[str, ...]:
    """In an environment of its own, which uv makes once and keeps in its cache."""
    packages = tuple(part for pin in (*pins, *COMMON) for part in ("--with", pin))
    here = ("uv", "run", "--isolated", "--no-project", "--python", "3.11", "-q")
    return (*here, *packages, "python", str(HERE / "peers" / script))


PEERS = {
    "lifetimes": peer("lifetimes_model.py", "lifetimes==0.11.3"),
    "pymc-marketing": peer("pymc_marketing_model.py", "pymc-marketing==0.19.2"),
}
WARM_UP = 2_000  # customers
LEAST_RATIO = 10.0
MOST_SECONDS = 1.5  # of all of a night, at a million customers
MOST_MB = 450.0


def main() -> None:
    options = _options()
    history = simulated.shop(options.customers)
    print(f"{options.customers:,} customers, {int(history.order_days.sum()):,} order days")
    peers = {} if options.no_peer else {name: PEERS[name] for name in options.peer or PEERS}
    with tempfile.TemporaryDirectory() as folder:
        path, small = _saved(history, folder, "history"), _saved(simulated.shop(WARM_UP), folder, "warm_up")
        for command in peers.values():  # what a peer compiles and reads from the disk is there before it is measured
            _run(command, small)
        sides = OURS | peers
        runs = {side: [_run(command, path) for _ in range(options.rounds)] for side, command in sides.items()}
    for side, rounds in runs.items():
        _report(side, rounds)
    for name in peers:
        for side in OURS:
            _compare(side, name, runs[side], runs[name])
    _judge("seconds", _median(runs[NIGHT], "fit_s", "score_s"), MOST_SECONDS)
    _judge("peak MB", _median(runs[NIGHT], "peak_mb"), MOST_MB)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", action="append", choices=PEERS, help="this one alone; may be repeated")
    parser.add_argument("--no-peer", action="store_true", help="ours alone")
    return parser.parse_args()


def _saved(history: History, folder: str, name: str) -> Path:
    path = Path(folder) / f"{name}.npz"
    np.savez(path, **{column: getattr(history, column) for column in history.__slots__})
    return path


def _run(command: tuple[str, ...], path: Path) -> dict[str, Any]:
    """In a fresh process; BLAS gets one thread, since on matrices of 4 × 4 more threads only wait for each other."""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        (*command, str(path)), cwd=HERE.parent, env=environment, check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _median(rounds: list[dict[str, Any]], *names: str) -> float:
    return statistics.median(sum(float(found[name]) for name in names) for found in rounds)


def _report(side: str, rounds: list[dict[str, Any]]) -> None:
    parameters = ", ".join(f"{name} {value:.4g}" for name, value in rounds[0]["parameters"].items())
    seconds = f"{_median(rounds, 'fit_s', 'score_s'):7.2f} s ({_median(rounds, 'cpu_s'):.2f} s of CPU)"
    memory = f"{_median(rounds, 'peak_mb'):6.0f} MB ({_median(rounds, 'loaded_mb'):.0f} MB before)"
    print(
        f"{side:20} fit {_median(rounds, 'fit_s'):7.2f} s  score {_median(rounds, 'score_s'):7.2f} s  "
        f"together {seconds}  peak {memory}  medians of {len(rounds)}\n"
        f"{'':20} BG/NBD {parameters}; revenue of the next year {rounds[0]['sum_of_value']:,.0f}"
    )


def _compare(side: str, name: str, ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> None:
    ratio = _median(theirs, "fit_s", "score_s") / _median(ours, "fit_s", "score_s")
    bare = ratio - _median(theirs, "discounting_s") / _median(ours, "fit_s", "score_s")
    cpu = _median(theirs, "cpu_s") / _median(ours, "cpu_s")
    goal = f" (goal ≥ {LEAST_RATIO:.0f}: {'met' if ratio >= LEAST_RATIO else 'missed'})" if side == SAME else ""
    print(
        f"{side}: {ratio:.1f} times as fast as {name}{goal}, {cpu:.1f} by CPU, {bare:.1f} without its discounted value"
    )


def _judge(what: str, found: float, most: float) -> None:
    print(f"{NIGHT}: {found:.2f} {what} (goal ≤ {most:g}: {'met' if found <= most else 'missed'})")


if __name__ == "__main__":
    main()
