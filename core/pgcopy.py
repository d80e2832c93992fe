"""PostgreSQL's binary COPY as numpy columns: the fastest way in and out for a million rows.

Format: PostgreSQL manual, COPY, "Binary Format". Columns have fixed widths; a NULL has no bytes, so that rows are
written in groups that share the same NULLs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import psycopg
from django.db import connection
from numpy.typing import NDArray
from psycopg import Copy
from psycopg.pq.abc import PGconn

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER: Final = b"\xff\xff"
ENDS: Final = (len(TRAILER), len(HEADER + TRAILER))  # of the last message; no row of these types is as long as that

# PostgreSQL's type → numpy's, big endian. Dates are days and times microseconds since 2000-01-01 (UTC).
TYPES: Final[Mapping[str, str]] = {
    "int2": ">i2",
    "int4": ">i4",
    "int8": ">i8",
    "float8": ">f8",
    "date": ">i4",
    "timestamptz": ">i8",
}
AT_ONCE: Final = 4096  # rows, which the processor's cache holds while their columns are filled
EPOCH: Final = np.datetime64("2000-01-01", "D")

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Column:
    """Values of one column to write; `null` marks the rows that get NULL instead."""

    type: str
    values: Array
    null: NDArray[np.bool_] | None = None


def read(query: str, params: Mapping[str, Any], types: Mapping[str, str]) -> dict[str, Array]:
    """Run `query` and return its columns, in the order of `types` (name → PostgreSQL type). NULL raises ValueError."""
    with connection.cursor() as cursor:
        text = cursor.mogrify(query, params) if params else query
        with cursor.copy(f"COPY ({text}) TO STDOUT (FORMAT BINARY)") as copy:
            data = _all_of(copy)
    return unpack(data, types)


def _all_of(copy: Copy) -> bytearray:
    """What a COPY sends. Rows that have arrived are taken one after another, without psycopg's wait for each.

    Nothing is taken behind the trailer: the end is psycopg's to find.
    """
    data, take = bytearray(), copy.connection.pgconn.get_copy_data
    while block := copy.read():
        data += block
        while len(block) not in ENDS:
            size, block = take(1)
            if size < 0:
                raise _failure(copy.connection.pgconn)
            if not size:  # the next row is on its way
                break
            data += block
    return data


def _failure(connection: PGconn) -> psycopg.Error:
    """Why a COPY ended before its trailer."""
    result = connection.get_result()
    while connection.get_result():
        pass
    return psycopg.errors.error_from_result(result) if result else psycopg.OperationalError("The COPY was cut off.")


def unpack(data: bytes | bytearray, types: Mapping[str, str]) -> dict[str, Array]:
    """Cut a binary COPY into columns of native byte order."""
    row = _row_type(types, nulls=frozenset())
    body = len(data) - len(HEADER) - len(TRAILER)
    if body % row.itemsize:
        raise ValueError("A row of the COPY is not of the expected width: a NULL or another type.")
    rows = np.frombuffer(data, row, count=body // row.itemsize, offset=len(HEADER))
    if len(rows) and not all((rows[f"{name}#"] == np.dtype(TYPES[t]).itemsize).all() for name, t in types.items()):
        raise ValueError("A column of the COPY is not of the expected width: a NULL or another type.")
    return {name: rows[name].astype(rows[name].dtype.newbyteorder("=")) for name in types}


def write(table: str, columns: Mapping[str, Column]) -> int:
    """COPY the columns into `table` (a trusted name) and return the number of rows."""
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(HEADER)
        for block in pack(columns):
            copy.write(block)
        copy.write(TRAILER)
    return len(next(iter(columns.values())).values)


def pack(columns: Mapping[str, Column]) -> list[memoryview]:
    """The rows of a binary COPY, one block per pattern of NULLs."""
    count = len(next(iter(columns.values())).values)
    pattern = np.zeros(count, np.int64)
    nullable = [name for name, column in columns.items() if column.null is not None]
    for bit, name in enumerate(nullable):
        pattern |= np.asarray(columns[name].null, np.int64) << bit
    blocks = []
    for value in np.unique(pattern):
        nulls = frozenset(name for bit, name in enumerate(nullable) if value >> bit & 1)
        blocks.append(_pack_group(columns, nulls, np.flatnonzero(pattern == value)))
    return blocks


def _pack_group(columns: Mapping[str, Column], nulls: frozenset[str], which: NDArray[np.intp]) -> memoryview:
    kind = _row_type({name: column.type for name, column in columns.items()}, nulls)
    rows = np.empty(len(which), kind)
    empty = _empty_row(columns, nulls, kind)
    for begun in range(0, len(which), AT_ONCE):
        some, block = which[begun : begun + AT_ONCE], rows[begun : begun + AT_ONCE]
        block.view(np.uint8).reshape(len(some), kind.itemsize)[:] = empty
        for name, column in columns.items():
            if name not in nulls:
                block[name] = column.values[some]
    return rows.view(np.uint8).data


def _empty_row(columns: Mapping[str, Column], nulls: frozenset[str], kind: np.dtype[Any]) -> NDArray[np.uint8]:
    """What all rows of a group have: the number of columns, and the width of each."""
    row = np.zeros(1, kind)
    row["#"] = len(columns)
    for name, column in columns.items():
        row[f"{name}#"] = -1 if name in nulls else np.dtype(TYPES[column.type]).itemsize
    return row.view(np.uint8)


def _row_type(types: Mapping[str, str], nulls: frozenset[str]) -> np.dtype[Any]:
    fields: list[tuple[str, str]] = [("#", ">i2")]
    for name, kind in types.items():
        fields.append((f"{name}#", ">i4"))
        if name not in nulls:
            fields.append((name, TYPES[kind]))
    return np.dtype(fields)


def days(column: Array) -> NDArray[np.datetime64]:
    """A `date` column as numpy dates."""
    return EPOCH + column.astype("timedelta64[D]")
