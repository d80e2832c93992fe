"""What a night says of each customer in short: her code in every scheme, for the next night to compare with."""

from typing import Final

import numpy as np

from analytics import schemes
from analytics.services import carried, partitions
from core import pgcopy
from core.models import Run
from core.pgcopy import Array, Column

PREFIX: Final = "analytics_codes_of_run_"
SCHEMES: Final = {"segment": "int2"} | {
    scheme.column: "int8" if scheme is schemes.PREFERENCE else "int2" for scheme in schemes.SCORED
}
TYPES: Final = {"customer_id": "int8", "previous_segment": "int2", "segment_changed_on": "date"} | SCHEMES
ROWS: Final = "SELECT {names} FROM {table} WHERE customer_id BETWEEN {first} AND {last} ORDER BY customer_id"
FIRST, LAST = 0, 2**63 - 1  # of all numbers of customers

Columns = dict[str, Array]


def table_of(run_id: int) -> str:
    return f"{PREFIX}{int(run_id)}"


def keep(run: Run, table: dict[str, Column], *, first: int) -> None:
    """Those of a shard, beside its scores. A run that an earlier version of the program began has no place for them."""
    if carried.exists(table_of(run.pk)):
        carried.put(table_of(run.pk), {name: table[name].values for name in TYPES}, TYPES, first=first)


def of_run(run_id: int, *, first: int = FIRST, last: int = LAST) -> Columns:
    """The columns TYPES of the run's customers with first ≤ id ≤ last, in the order of ids."""
    shards = Run.objects.values_list("model__shards", flat=True).get(pk=run_id) or []
    firsts = [shard["first"] for shard in shards if shard["first"] <= last and first <= shard["last"]]
    found = carried.take(table_of(run_id), TYPES, firsts=firsts) if firsts else None
    if found is None:
        query = ROWS.format(names=", ".join(TYPES), table=partitions.table_of(run_id), first=first, last=last)
        return pgcopy.read(query, {}, TYPES)
    ids = found["customer_id"]
    here = slice(np.searchsorted(ids, first), np.searchsorted(ids, last, side="right"))
    return {name: values[here] for name, values in found.items()}


def nobody() -> Columns:
    return {name: np.empty(0, np.dtype(pgcopy.TYPES[kind]).newbyteorder("=")) for name, kind in TYPES.items()}
