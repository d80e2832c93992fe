"""Rolling origins on real order files, beside lifetimes' BG/NBD and Gamma-Gamma on the same splits.

    uv run python -m benchmarks.forecasts [PRESET=FILE ...] [--origin DATE ...] [--horizon-days N] [--no-peer]

Without a file it takes the CDNOW sample of the tests. At each origin the engine is what a night of that day would
have been (the report card); lifetimes gets the same histories in an environment of its own. Of returns and refunds
each knows what was known on that day.
"""

import argparse
import json
import subprocess
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from analytics.clv import backtest, report_card
from analytics.clv.backtest import Origin
from analytics.clv.order_log import OrderLog
from analytics.services import order_files
from benchmarks.model_work import peer
from customers.importing import presets

SAMPLE = f"cdnow={Path(__file__).parent.parent / 'tests' / 'data' / 'cdnow_sample.csv'}"
LIFETIMES = peer("lifetimes_forecast.py", "lifetimes==0.11.3")
EPOCH = date(1970, 1, 1)
LONGEST = 365


def main() -> None:
    options = _options()
    for named in options.files or [SAMPLE]:
        preset, _, path = named.partition("=")
        source = order_files.Source(paths=[Path(path)], preset=presets.ORDERS[preset])
        log = order_files.read(source=source).log
        print(f"{Path(path).name}: {log.customers:,} customers, {_date(log.start)} to {_date(log.end)}")
        for origin in _origins(log, options.origin, options.horizon_days):
            _origin(log, origin, with_peer=not options.no_peer)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="PRESET=FILE", help=f"presets: {', '.join(presets.ORDERS)}")
    parser.add_argument("--origin", action="append", type=date.fromisoformat, help="last known day; default: quarters")
    parser.add_argument("--horizon-days", type=int, help="default: to the end of the file, at most a year")
    parser.add_argument("--no-peer", action="store_true", help="ours alone")
    return parser.parse_args()


def _origins(log: OrderLog, wanted: list[date] | None, horizon_days: int | None) -> list[Origin]:
    """Three quarters, half and a quarter of the file before its end, unless told; days outside of the file are left."""
    length = log.end - log.start
    days = [(day - EPOCH).days for day in wanted] if wanted else [log.end - length * part // 4 for part in (3, 2, 1)]
    within = [day for day in days if log.start <= day < log.end]
    return [Origin(day, min(horizon_days or LONGEST, log.end - day)) for day in within]


def _origin(log: OrderLog, origin: Origin, *, with_peer: bool) -> None:
    card = report_card.card(log, origin)
    has_money = card.spend is not None
    spent = card.spend.actual if card.spend else float("nan")
    print(f"  {card.origin}, {card.horizon_days} days: {card.customers:,} customers; {card.model}, {card.spend_model}")
    print(f"    {'':12}{'orders':>10}{'ratio':>7}{'spend':>14}{'ratio':>7}{'MAE':>8}{'80 % holds':>12}")
    _row("actual", card.orders.actual, card.orders.actual, spent, spent)
    spend = card.spend.predicted if card.spend else float("nan")
    _row("perennial", card.orders.predicted, card.orders.actual, spend, spent, card.mae, f"{card.coverage_80:.0%}")
    if with_peer:
        found = _peer_says(log, origin)
        says = found["spend"] if has_money else float("nan")
        _row("lifetimes", found["orders"], card.orders.actual, says, spent, found["mae"], "none")
        print("".join(f"    lifetimes: {problem}\n" for problem in found["problems"]), end="")
    _row(
        "naive", card.naive.orders, card.orders.actual, card.naive.spend or float("nan"), spent, card.naive_mae, "none"
    )


def _peer_says(log: OrderLog, origin: Origin) -> dict[str, Any]:
    split = backtest.split(log, origin)
    names = ("order_days", "first_age", "last_age", "repeat_value")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "split.npz"
        np.savez(
            path,
            later_days=split.order_days,
            horizon_days=origin.horizon_days,
            **{name: getattr(split.history, name) for name in names},
        )
        done = subprocess.run((*LIFETIMES, str(path)), check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _row(
    name: str, orders: float, of_orders: float, spend: float, of_spend: float, mae: float | None = None, holds: str = ""
) -> None:
    error = f"{mae:.3f}" if mae is not None and np.isfinite(mae) else ""
    print(
        f"    {name:12}{_figure(orders):>10}{_ratio(orders, of_orders):>7}{_figure(spend):>14}"
        f"{_ratio(spend, of_spend):>7}{error:>8}{holds:>12}"
    )


def _figure(value: float) -> str:
    return f"{value:,.0f}" if np.isfinite(value) else "–"


def _ratio(predicted: float, actual: float) -> str:
    return f"{predicted / actual:.2f}" if np.isfinite(predicted) and actual > 0 else "–"


def _date(day: int) -> date:
    return EPOCH + timedelta(days=day)


if __name__ == "__main__":
    main()
