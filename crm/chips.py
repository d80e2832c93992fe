"""The filters in use as chips: what each says, and the address of the list without it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from crm import filters
from crm.selectors.people import Query


@dataclass(frozen=True, kw_only=True)
class Chip:
    label: str
    value: str
    without: str


def chips(found: Query, data: QueryDict) -> list[Chip]:
    return [chip for chosen in (found.people, found.scores) for chip in _of(chosen, data)]


def _of(chosen: Any, data: QueryDict) -> Iterator[Chip]:
    for name in filters.in_use(chosen):
        field = chosen.form.fields[name]
        names = {str(key): str(text) for key, text in getattr(field, "choices", ())}
        for value in data.getlist(name):
            if not names or value in names:
                yield Chip(label=field.label, value=names.get(value, value), without=_without(data, name, value))


def _without(data: QueryDict, name: str, value: str) -> str:
    rest = data.copy()
    rest.pop("cursor", None)
    rest.setlist(name, [other for other in data.getlist(name) if other != value])
    return f"?{rest.urlencode()}"
