"""Import of order lines beside django-import-export 4.4 on a slice of the same file, in the same run.

    uv run python -m benchmarks.import_orders [--file online_retail.csv.gz] [--rows N] [--slice N] [--no-peer]

Without a file, the excerpt in tests/data is repeated under new numbers until it has --rows lines. Ours writes
customers, products, orders, lines and refunds; the peer writes one flat table by its line number, in its default mode
and in its bulk mode, in an environment of its own, on the same server.
"""

import argparse
import csv
import gzip
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks import _home

HERE = Path(__file__).parent
EXCERPT = HERE.parent / "tests" / "data" / "online_retail_excerpt.csv"
PINS = ("django-import-export==4.4.3", "django==5.2.19", "psycopg[binary]==3.3.9")
PEER = (
    *("uv", "run", "--isolated", "--no-project", "--python", "3.11", "-q"),
    *(part for pin in PINS for part in ("--with", pin)),
    *("python", str(HERE / "peers" / "import_export_lines.py")),
)
LEAST_RATIO = 20.0
MOST_MB = 600.0


def main() -> None:
    asked = _options()
    home = _home.enter("import_orders")
    try:
        file = asked.file or _repeated(home / "orders.csv", asked.rows)
        small = _slice(file, home / "slice.csv", asked.slice)
        ours = [_ours(home, file, name) for name in ("first", "again")]
        if not asked.no_peer:
            _compare(ours[0], {mode: _peer(home, small, mode) for mode in ("default", "bulk")})
    finally:
        _home.leave(home)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--file", type=Path, help="the Online Retail file (UCI, doi:10.24432/C5BW33) as CSV or CSV.gz")
    parser.add_argument("--rows", type=int, default=541_909)
    parser.add_argument("--slice", type=int, default=20_000)
    parser.add_argument("--no-peer", action="store_true", help="ours alone")
    return parser.parse_args()


def _lines(file: Path) -> Iterator[list[str]]:
    with gzip.open(file, "rt", newline="") if file.suffix == ".gz" else file.open(newline="") as text:
        yield from csv.reader(text)


def _repeated(path: Path, rows: int) -> Path:
    """The excerpt again and again: each time other invoices and customers, the same products."""
    header, *lines = _lines(EXCERPT)
    with path.open("w", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(header)
        for i in range(rows):
            turn, line = divmod(i, len(lines))
            invoice, *rest = lines[line]
            rest[5] = f"{rest[5]}-{turn}" if rest[5] else ""
            writer.writerow([f"{invoice}-{turn}", *rest])
    return path


def _slice(file: Path, path: Path, rows: int) -> Path:
    with path.open("w", newline="") as text:
        csv.writer(text).writerows(islice(_lines(file), rows + 1))
    return path


class Memory:
    """The peak of what a process and the servers of a home hold together: shared pages count once (Pss)."""

    def __init__(self, home: Path, pid: int) -> None:
        self.server = int((home / "postgres" / "postmaster.pid").read_text().split()[0])
        self.pid, self.peak_mb, self.alone_mb, self.running = pid, 0.0, 0.0, True
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()

    def _watch(self) -> None:
        while self.running:
            alone = sum(map(_pss_mb, _tree(self.pid)))
            together = alone + sum(map(_pss_mb, _tree(self.server)))
            self.alone_mb, self.peak_mb = max(self.alone_mb, alone), max(self.peak_mb, together)
            time.sleep(0.25)

    def stop(self) -> None:
        self.running = False
        self.thread.join()


def _tree(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(found for child in children for found in _tree(int(child)))]


def _pss_mb(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def _ours(home: Path, file: Path, turn: str) -> dict[str, Any]:
    report = home / "report.json"
    command = (
        sys.executable,
        "manage.py",
        "import_orders",
        str(file),
        "--preset",
        "online_retail",
        "--report",
        str(report),
    )
    environment = os.environ | {"PERENNIAL_HOME": str(home)}
    started = time.perf_counter()
    with subprocess.Popen(
        command, cwd=HERE.parent, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        memory = Memory(home, process.pid)
        process.wait()
        seconds = time.perf_counter() - started
        memory.stop()
    found: dict[str, Any] = json.loads(report.read_text())
    rate = found["read"] / seconds
    memories = f"peak {memory.peak_mb:.0f} MB with PostgreSQL, {memory.alone_mb:.0f} MB alone"
    orders = f"orders {found['orders_created']:,} created, {found['orders_unchanged']:,} unchanged"
    pace = f"{found['read']:>9,} rows {seconds:7.1f} s {rate:>9,.0f} rows/s"
    print(f"perennial, {turn:5} {pace}  {memories}; {orders}", flush=True)
    return found | {"seconds": seconds, "rate": rate, "peak_mb": memory.peak_mb}


def _peer(home: Path, file: Path, mode: str) -> dict[str, Any]:
    done = subprocess.run(
        (*PEER, str(home / "run"), str(file), mode), check=True, capture_output=True, text=True, cwd=home
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(
        f"import-export, {mode:7} {found['rows']:>7,} rows {found['seconds']:7.1f} s {found['rate']:>9,.0f} rows/s"
        f"  peak {found['peak_mb']:.0f} MB alone",
        flush=True,
    )
    return found


def _compare(ours: dict[str, Any], peers: dict[str, dict[str, Any]]) -> None:
    ratio, bulk = (ours["rate"] / peers[mode]["rate"] for mode in ("default", "bulk"))
    print(
        f"ratio {ratio:.1f} beside its default mode (goal ≥ {LEAST_RATIO:.0f}: {_met(ratio >= LEAST_RATIO)}),"
        f" {bulk:.1f} beside its bulk mode\n"
        f"peak {ours['peak_mb']:.0f} MB (goal ≤ {MOST_MB:.0f}: {_met(ours['peak_mb'] <= MOST_MB)})"
    )


def _met(good: bool) -> str:
    return "met" if good else "missed"


if __name__ == "__main__":
    main()
