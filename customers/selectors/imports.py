"""Imports to look at: those under way, those that are done, and what taking one back would mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from core import money
from core.models import Job
from customers.importing import columns as naming
from customers.importing import extras, suggestions
from customers.importing.preview import Preview
from customers.importing.suggestions import Suggestion
from customers.models import Contract, ContractTerm, CustomField, ImportBatch, ImportedRow, Order, Upload
from customers.services import custom, examples, from_files

PER_PAGE: Final = 25
OPEN_SHOWN: Final = 20
SAMPLES: Final = 3
TABLES: Final = {
    "customer": _("Customers"),
    "company": _("Companies"),
    "email": _("E-mail addresses"),
    "phone": _("Phone numbers"),
    "product": _("Products"),
    "category": _("Product categories"),
    "order": _("Orders"),
    "refund": _("Refunds"),
    "unmatched": _("Returns without an order"),
    "contract": _("Contracts"),
}
LABELS: Final = {
    "status": _("Status"),
    "placed_on": _("Day"),
    "net_cents": _("Net"),
    "tax_cents": _("Tax"),
    "shipping_cents": _("Shipping"),
    "channel": _("Channel"),
    "name": _("Name"),
    "street": _("Street and number"),
    "postcode": _("Postcode"),
    "city": _("City"),
    "region": _("Region"),
    "country": _("Country"),
    "locale": _("Language"),
    "time_zone": _("Time zone"),
    "birthday": _("Birthday"),
    **{one.name: one.verbose_name for one in Contract._meta.fields if one.name in examples.CONTRACT_FIELDS},
    **{one.name: one.verbose_name for one in ContractTerm._meta.fields if one.name in examples.TERM_FIELDS},
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file beside what it holds. `field` "" is left out; `names` are fields that a preset reads it as."""

    number: int
    name: str
    samples: list[str]
    field: str
    suggestion: Suggestion | None
    names: str = ""


def open_uploads() -> list[Upload]:
    """Files that are not imported yet, the newest first."""
    waiting = Upload.objects.filter(batch=None, removed_at=None).select_related("job", "by")
    return list(waiting.order_by("-uploaded_at", "-pk")[:OPEN_SHOWN])


def page(number: str | None) -> Page[ImportBatch]:
    """Every import, from the browser or the command line, the newest first."""
    batches = ImportBatch.objects.select_related("upload__by", "undo_job").order_by("-started_at", "-pk")
    return Paginator(batches, PER_PAGE).get_page(number)


def load(pk: int) -> Upload | None:
    return Upload.objects.select_related("job__progress", "batch", "by").filter(pk=pk).first()


def findings(upload: Upload, *, currency: str) -> dict[str, Any]:
    """What was seen, as people read it: days as dates, statuses and fields by their names, money as money."""
    seen = dict(upload.findings)
    for name in ("first_day", "last_day"):
        seen[name] = date.fromisoformat(seen[name]) if seen.get(name) else None
    if upload.kind == "contracts":
        seen["created"] = [{**row, "ends_on": date.fromisoformat(row["ends_on"])} for row in seen.get("created", ())]
    if upload.kind == "orders":
        seen["created"] = [
            {**row, "day": date.fromisoformat(row["day"]), "status": Order.Status(row["status"]).label}
            for row in seen.get("created", ())
        ]
    own = {extras.name_of(one.key): one for one in custom.fields()} if seen.get("changed") else {}
    seen["changed"] = [
        {"name": row["name"], "fields": [_readable(*change, currency=currency, own=own) for change in row["fields"]]}
        for row in seen.get("changed", ())
    ]
    return seen


def _readable(field: str, old: Any, new: Any, *, currency: str, own: Mapping[str, CustomField]) -> tuple[Any, Any, Any]:
    if field in own:
        return own[field].label, custom.words(own[field], old), custom.words(own[field], new)
    if field.endswith("_cents"):
        return LABELS.get(field, field), money.text(old, currency), money.text(new, currency)
    if field == "outcome":
        return LABELS[field], ContractTerm.Outcome(old).label, ContractTerm.Outcome(new).label
    if field == "status":
        return LABELS[field], Order.Status(old).label, Order.Status(new).label
    return LABELS.get(field, field), old, new


def others_at_work(upload: Upload) -> int:
    """Imports that this one waits for: there is one at a time."""
    steps = (Upload.CHECK, Upload.IMPORT, "undo_import")
    at_work = Q(state=Job.State.CLAIMED) | Q(state=Job.State.READY, pk__lt=upload.job_id or 0)
    return Job.objects.filter(at_work, step__in=steps, run=None).exclude(pk=upload.job_id or 0).count()


def what_goes(batch: ImportBatch) -> list[dict[str, Any]]:
    """Of each table how many rows it created and changed: what taking it back removes and puts back."""
    rows = ImportedRow.objects.filter(batch=batch).values("table")
    counted = rows.annotate(n=Count("pk"), new=Count("pk", filter=Q(created=True))).order_by("table")
    return [
        {"label": TABLES.get(row["table"], row["table"]), "created": row["new"], "changed": row["n"] - row["new"]}
        for row in counted
    ]


def columns(upload: Upload, seen: Preview, *, preset: str) -> list[Column]:
    """Each column with what it was mapped to, else with what it probably is."""
    own = extras.names(custom.extras()) if upload.kind == "customers" else {}
    guesses = suggestions.suggest(seen.header, seen.rows, kind=upload.kind, own=own) if preset == "generic" else {}
    chosen = {column: field for field, column in upload.mapping.items()}
    known = _known(upload, preset)
    return [
        Column(
            number=number,
            name=name,
            samples=list(dict.fromkeys(seen.column(number)))[:SAMPLES],
            field=chosen.get(name, "") if chosen else (guesses[number].field if number in guesses else ""),
            suggestion=None if chosen else guesses.get(number),
            names=known.get(naming.plain(name), ""),
        )
        for number, name in enumerate(seen.header)
    ]


def _known(upload: Upload, preset: str) -> dict[str, str]:
    """Plain column name → the field that a preset reads it as."""
    if preset == "generic":
        return {}
    aliases = from_files.preset_named(preset, kind=upload.kind).aliases
    return {name.casefold(): field for field, names in aliases.items() for name in names}
