"""Columns of customers that one step has at hand and another one needs: carried in bulk, a shard in one value.

In tables of a run's own which are not logged and not backed up. Whoever misses something reads the rows it came from.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from core import pgcopy
from core.pgcopy import Array

CREATE: Final = """
CREATE UNLOGGED TABLE {table} (first bigint PRIMARY KEY, names text NOT NULL, data bytea STORAGE EXTERNAL NOT NULL)
"""
TAKE: Final = "SELECT data FROM {table} WHERE first = ANY(ARRAY{firsts}::bigint[]) AND names = '{names}' ORDER BY first"


def create(table: str) -> None:
    """An empty table (a trusted name), whatever an earlier attempt left."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
        cursor.execute(CREATE.format(table=table))


def exists(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [table])
        return bool(cursor.fetchone()[0])


def put(table: str, columns: dict[str, Array], types: Mapping[str, str], *, first: int) -> None:
    """Keep the columns of the shard that begins with the customer `first`."""
    data = b"".join(columns[name].astype(_kept_type(types[name])).tobytes() for name in types)
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(["int8", "text", "bytea"])
        copy.write_row((first, " ".join(types), data))


def take(table: str, types: Mapping[str, str], *, firsts: Sequence[int]) -> dict[str, Array] | None:
    """The columns of these shards, one after another; None unless all of them are there, with these columns."""
    if not exists(table):
        return None
    query = TAKE.format(table=table, firsts=list(firsts), names=" ".join(types))
    with connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT BINARY)") as copy:
        copy.set_types(["bytea"])
        found = [_cut(data, types) for (data,) in copy.rows()]
    if len(found) < len(firsts):
        return None
    return {name: np.concatenate([part[name] for part in found]) for name in types}


def beside(ids: NDArray[np.int64], others: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Where each id stands among the others, both in order, and whether it does: if not, its place means nothing."""
    if not len(others):
        return np.zeros(len(ids), np.intp), np.zeros(len(ids), np.bool_)
    places = np.minimum(np.searchsorted(others, ids), len(others) - 1)
    return places, others[places] == ids


def joined(ids: NDArray[np.int64], others: Mapping[str, Array], defaults: Mapping[str, int]) -> dict[str, Array]:
    """The columns of `others`, who are in the order of their customer_id, for these ids: a left join."""
    places, known = beside(ids, others["customer_id"])
    if not len(others["customer_id"]):
        return {name: np.full(len(ids), value, others[name].dtype) for name, value in defaults.items()}
    return {name: np.where(known, others[name][places], value) for name, value in defaults.items()}


def _cut(data: bytes, types: Mapping[str, str]) -> dict[str, Array]:
    kinds = {name: _kept_type(kind) for name, kind in types.items()}
    count, columns, offset = len(data) // sum(kind.itemsize for kind in kinds.values()), {}, 0
    for name, kind in kinds.items():
        columns[name] = np.frombuffer(data, kind, count, offset)
        offset += count * kind.itemsize
    return columns


def _kept_type(kind: str) -> np.dtype[np.generic]:
    """As numpy computes with it: in the order of bytes of nearly every machine."""
    return np.dtype(pgcopy.TYPES[kind]).newbyteorder("<")
