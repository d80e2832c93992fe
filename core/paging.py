"""Cursor pages over lists that are sorted by a key and an id, and may go on in another list when they end.

A page costs the same at the start and after a million rows: it starts from the last row seen, never from a count.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import F, Model, OrderBy, Q, QuerySet
from django.db.models.functions import Coalesce

Place = tuple[Any, int]


@dataclass(frozen=True, kw_only=True)
class Phase:
    """One sorted list. `key` is the field to sort by (empty: the id alone), `pk` the id that breaks ties.

    Without `walks` the rows are found first and sorted then. That costs the same wherever they stand; walking the
    index of the sort is quicker, but reads nearly all of it when what is wanted stands at its end.
    """

    rows: QuerySet[Any]
    key: str = ""
    pk: str = "id"
    descending: bool = False
    walks: bool = True

    def part(self, *, start: Place | None, backwards: bool, limit: int) -> list[Any]:
        """Up to `limit` rows from `start` on (not with it), in the order of the walk."""
        down = self.descending != backwards
        names = [F(name) if self.walks else Coalesce(F(name), F(name)) for name in (self.key, self.pk) if name]
        rows = self.rows.order_by(*(OrderBy(name, descending=down) for name in names))
        if start is not None:
            rows = rows.filter(self._beyond(start, "lt" if down else "gt"))
        return list(rows[:limit])

    def _beyond(self, start: Place, way: str) -> Q:
        key, pk = start
        past_id = Q(**{f"{self.pk}__{way}": pk})
        if not self.key:
            return past_id
        # The first condition alone bounds the index; the second cuts off the rows that share the key.
        return Q(**{f"{self.key}__{way}e": key}) & (Q(**{f"{self.key}__{way}": key}) | past_id)

    def place(self, row: Model) -> Place:
        return (getattr(row, self.key) if self.key else None), getattr(row, self.pk)

    def read_place(self, key: Any, pk: Any) -> Place:
        """A place from a cursor's text. Raises ValueError or ValidationError for what cannot be one."""
        if not isinstance(pk, int):
            raise TypeError(pk)
        if not self.key:
            return None, pk
        worked_out = self.rows.query.annotations.get(self.key)
        field = worked_out.output_field if worked_out else self.rows.model._meta.get_field(self.key)
        return field.to_python(key), pk  # Django documents _meta


@dataclass(frozen=True)
class Page:
    """Rows with the number of the phase that they come from, and cursors to the pages around (empty: none)."""

    rows: list[tuple[int, Any]]
    previous: str
    next: str


def page(phases: Sequence[Phase], *, cursor: str, size: int) -> Page:
    """The page at `cursor`. A cursor that cannot be read gives the first page."""
    start, backwards = _decode(phases, cursor)
    found, more = _collect(phases, start=start, backwards=backwards, size=size)
    if backwards and not more:
        start, backwards = None, False
        found, more = _collect(phases, start=None, backwards=False, size=size)
    if not found:
        return Page(rows=[], previous="", next="")
    has_previous = more if backwards else start is not None
    has_next = True if backwards else more
    return Page(
        rows=found,
        previous=_encode(phases, found[0], backwards=True) if has_previous else "",
        next=_encode(phases, found[-1], backwards=False) if has_next else "",
    )


def is_readable(phases: Sequence[Phase], cursor: str) -> bool:
    return _decode(phases, cursor)[0] is not None


def around(phases: Sequence[Phase], *, at: tuple[int, Place]) -> tuple[Any | None, Any | None]:
    """The rows just before and just after a place in the list."""
    before, _ = _collect(phases, start=at, backwards=True, size=1)
    after, _ = _collect(phases, start=at, backwards=False, size=1)
    return (before[0][1] if before else None), (after[0][1] if after else None)


def _collect(
    phases: Sequence[Phase], *, start: tuple[int, Place] | None, backwards: bool, size: int
) -> tuple[list[tuple[int, Any]], bool]:
    """Up to `size` rows in the order of the list, and whether the walk could go on."""
    found: list[tuple[int, Any]] = []
    numbers = range(len(phases) - 1, -1, -1) if backwards else range(len(phases))
    for number in numbers:
        if start is not None and (number > start[0] if backwards else number < start[0]):
            continue
        place = start[1] if start is not None and start[0] == number else None
        rows = phases[number].part(start=place, backwards=backwards, limit=size + 1 - len(found))
        found += [(number, row) for row in rows]
        if len(found) > size:
            break
    more = len(found) > size
    found = found[:size]
    return (found[::-1] if backwards else found), more


def _encode(phases: Sequence[Phase], row: tuple[int, Any], *, backwards: bool) -> str:
    number, item = row
    key, pk = phases[number].place(item)
    key = key.isoformat() if isinstance(key, date) else key
    text = json.dumps([int(backwards), number, key, pk], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(phases: Sequence[Phase], cursor: str) -> tuple[tuple[int, Place] | None, bool]:
    if not cursor:
        return None, False
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        backwards, number, key, pk = json.loads(text)
        if isinstance(key, str) and "\0" in key:
            return None, False
        return (number, phases[number].read_place(key, pk)), bool(backwards)
    except (ValueError, TypeError, IndexError, OverflowError, RecursionError, ValidationError, FieldDoesNotExist):
        return None, False
