"""Edits as people read them: who changed which record when, and each field from what to what."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import groupby
from typing import Any, Final

from django.apps import apps
from django.db import models
from django.db.models import QuerySet
from django.utils import formats, timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from core import money
from core.models import Business, Edit

PAGE_EDITS: Final = 200  # read for one page: a save is one entry of several edits
# Names that Django makes of columns, for the catalogues: whoever names a column in its model needs none here.
MADE_NAMES: Final = (
    *(gettext_noop("customer"), gettext_noop("date only"), gettext_noop("discount cents"), gettext_noop("external id")),
    *(gettext_noop("line"), gettext_noop("margin cents"), gettext_noop("net cents"), gettext_noop("order")),
    *(gettext_noop("placed at"), gettext_noop("placed on"), gettext_noop("product"), gettext_noop("quantity")),
    *(gettext_noop("reason"), gettext_noop("refund"), gettext_noop("refunded at"), gettext_noop("returned at")),
    *(gettext_noop("shipping cents"), gettext_noop("source"), gettext_noop("status"), gettext_noop("tax cents")),
    *(gettext_noop("unit cost"), gettext_noop("unit price"), gettext_noop("value cents"), gettext_noop("channel")),
)
NOTHING: Final[tuple[Any, ...]] = (None, "", [], {})


@dataclass(frozen=True, kw_only=True)
class Step:
    """One field from what to what, in words. `erased`: the values are gone."""

    label: str
    before: str
    after: str
    erased: bool = False


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What one save changed of one record."""

    at: datetime
    who: str
    program: bool
    verb: str  # added, changed or removed
    record: str
    kind: str
    url: str  # the record's page
    who_url: str = ""  # the page of what changed it, where it has one
    steps: list[Step] = field(default_factory=list)


def of(model: type[models.Model], pk: int) -> QuerySet[Edit]:
    """The edits of one record, the latest first."""
    return Edit.objects.filter(about=model._meta.db_table, about_id=pk).order_by("-pk")


def last_words(model: type[models.Model], pk: int) -> str:
    """`Mara, 14:05`: who changed the record last, for a conflict; empty where nobody is known."""
    edit = of(model, pk).select_related("user").first()
    return "" if edit is None else f"{_who(edit)}, {formats.date_format(timezone.localtime(edit.at), 'H:i')}"


def entries(edits: Iterable[Edit], *, business: Business) -> list[Entry]:
    """Edits (the latest first, with their users) as entries. A few queries for any number: one for each kind of record
    that is named.
    """
    edits = list(edits)
    names = _names(edits)
    by_save = groupby(edits, key=lambda edit: (edit.request or edit.pk, edit.about, edit.about_id))
    return [_entry(list(own), names, business) for _key, own in by_save]


def kinds() -> list[tuple[str, str]]:
    """(table, name) of the records that edits are about, as far as there are edits of them."""
    tables = Edit.objects.order_by().values_list("about", flat=True).distinct()
    return sorted(((table, _kind(table)) for table in tables), key=lambda pair: pair[1])


Names = Mapping[tuple[str, int], Any]


def _entry(edits: Sequence[Edit], names: Names, business: Business) -> Entry:
    first = edits[0]
    record = names.get((first.about, first.about_id))
    return Entry(
        at=first.at,
        who=_who(first),
        program=bool(first.program),
        verb=_verb(edits),
        record=_("no longer there") if record is None else str(record),
        kind=_kind(first.about),
        url=getattr(record, "get_absolute_url", str)(),
        steps=[step for edit in reversed(edits) for step in _steps(edit, names, business)],
    )


def _who(edit: Edit) -> str:
    if edit.program:
        return edit.program
    return str(edit.user) if edit.user is not None else _("Somebody")


def _verb(edits: Sequence[Edit]) -> str:
    """What happened to the record itself; a row that hangs on it is a change of it."""
    own = {edit.action for edit in edits if (edit.table, edit.object_id) == (edit.about, edit.about_id)}
    if Edit.Action.INSERT in own:
        return _("added")
    return _("removed") if Edit.Action.DELETE in own else _("changed")


def _kind(table: str) -> str:
    model = _models().get(table)
    return capfirst(str(model._meta.verbose_name)) if model else table


def _steps(edit: Edit, names: Names, business: Business) -> list[Step]:
    steps = []
    for column, pair in sorted(edit.changes.items()):
        if pair is None:
            steps.append(Step(label=_label(edit.table, column), before="", after="", erased=True))
        elif isinstance(pair[0], dict) or isinstance(pair[1], dict):
            steps += _inner(*(side or {} for side in pair))
        elif pair[0] not in NOTHING or pair[1] not in NOTHING:
            before, after = (_words(edit.table, column, value, names, business) for value in pair)
            steps.append(Step(label=_label(edit.table, column), before=before, after=after))
    return steps


def _inner(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Step]:
    """Fields inside a field, such as those that a business adds, by their keys."""
    return [
        Step(label=capfirst(key.replace("_", " ")), before=_plain(before.get(key)), after=_plain(after.get(key)))
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    ]


def _label(table: str, column: str) -> str:
    one = _columns(table).get(column)
    return capfirst(_(str(one.verbose_name))) if one else column


def _words(table: str, column: str, value: Any, names: Names, business: Business) -> str:
    """A value as people read it."""
    one = _columns(table).get(column)
    if value in NOTHING or one is None:
        return ""
    if one.is_relation:
        return str(names.get((one.related_model._meta.db_table, value), value))
    if column.endswith("_cents"):
        return money.text(value, business.currency)
    if one.choices:
        return str(dict(one.flatchoices).get(value, value))
    if isinstance(one, models.DateTimeField):
        moment = parse_datetime(str(value))
        return formats.date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT") if moment else str(value)
    if isinstance(one, models.DateField):
        day = parse_date(str(value))
        return formats.date_format(day, "SHORT_DATE_FORMAT") if day else str(value)
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)


def _names(edits: Sequence[Edit]) -> dict[tuple[str, int], Any]:
    """The records that edits are about, and those that their foreign keys name, by table and id."""
    wanted: defaultdict[str, set[int]] = defaultdict(set)
    for edit in edits:
        wanted[edit.about].add(edit.about_id)
        for column, pair in edit.changes.items():
            one = _columns(edit.table).get(column)
            if one is not None and one.is_relation and pair is not None:
                wanted[one.related_model._meta.db_table].update(pk for pk in pair if pk is not None)
    found: dict[tuple[str, int], Any] = {}
    for table, ids in wanted.items():
        if model := _models().get(table):
            found |= {(table, pk): row for pk, row in model._default_manager.in_bulk(ids).items()}
    return found


@cache
def _models() -> dict[str, type[models.Model]]:
    return {model._meta.db_table: model for model in apps.get_models()}


@cache
def _columns(table: str) -> dict[str, Any]:
    model = _models().get(table)
    return {one.column: one for one in model._meta.concrete_fields} if model else {}
