"""Somebody who looks at the current night again and again, and adds up what it shows."""

import threading
from collections import Counter

POINTER = "SELECT id, stats FROM core_run WHERE is_current"
ROWS = """
SELECT count(*), coalesce(sum(clv_cents), 0), coalesce(sum(value_cents), 0), coalesce(sum(historic_cents), 0)
FROM analytics_score WHERE run_id = {run}
"""
SHOWN = ("customers", "clv_cents", "value_cents", "historic_cents")


class Reader(threading.Thread):
    """Reads in a tight loop, the pointer first and the rows after it; `wrong` lists what did not add up."""

    def __init__(self, connect):
        super().__init__(daemon=True)
        self.connection, self.ended = connect(), threading.Event()
        self.reads: Counter[int] = Counter()
        self.wrong: list[str] = []

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.ended.set()
        self.join()
        self.connection.close()

    def run(self):
        while not self.ended.is_set():
            self.read()

    def read(self):
        found = self.connection.execute(POINTER).fetchall()
        if len(found) != 1:
            self.wrong.append(f"{len(found)} current runs")
            return
        (run, stats), = found  # fmt: skip
        shown = tuple(int(figure) for figure in self.connection.execute(ROWS.format(run=int(run))).fetchone())
        expected = tuple(stats["all"][name] for name in SHOWN)
        self.reads[run] += 1
        if shown != expected:
            self.wrong.append(f"run {run} shows {shown} and should show {expected}")
