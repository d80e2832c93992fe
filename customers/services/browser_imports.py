"""The work behind an upload: the dry run, the import, and taking one back. Each is a job of one transaction."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any, Final

from django.utils import timezone

from core import engine, progress
from core.engine import Payload, Step
from core.models import Job
from core.progress import Watch
from customers.importing.problems import FileProblem, Reject
from customers.importing.rejects import Rejects, open_rejects
from customers.importing.rows import ContractRow, OrderRow, PersonRow
from customers.models import Upload
from customers.services import examples, from_files, undo, uploads
from customers.services.from_files import Done, Listener, Order
from customers.services.imports import Target
from customers.services.reports import Report

SHOWN: Final = 10


@dataclass(kw_only=True)
class Findings:
    """What was seen on the way, for the page; and how far it is, for the bar."""

    watch: Watch
    kind: str
    sink: Rejects
    read: int = 0
    staged: int = 0
    merged: int = 0
    first_day: date | None = None
    last_day: date | None = None
    rejected: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    notes_count: int = 0
    created: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)

    def refuse(self, reject: Reject, header: Sequence[str]) -> None:
        if len(self.rejected) < SHOWN:
            self.rejected.append({"line": reject.line, "reason": str(reject)})
        self.sink.write(reject, header)

    def note(self, remark: str) -> None:
        self.notes_count += 1
        if len(self.notes) < SHOWN:
            self.notes.append(remark)

    def row(self, row: OrderRow | PersonRow | ContractRow) -> None:
        self.staged += 1
        if isinstance(row, OrderRow):
            self.first_day = min(row.day, self.first_day or row.day)
            self.last_day = max(row.day, self.last_day or row.day)

    def progress(self, step: str, rows: int) -> None:
        if step == "read":
            self.read = rows
        else:
            self.read, self.merged = max(self.read, rows), rows
        self.tell()

    def wait(self) -> None:
        self.tell(is_waiting=1)

    def tell(self, *, is_waiting: int = 0) -> None:
        counts = {"read": self.read, "staged": self.staged, "merged": self.merged, "is_waiting": is_waiting}
        self.watch.tell(done=self.read + self.merged, **counts)

    def written(self, target: Target) -> None:
        self.created = examples.created(batch_id=target.batch.pk, kind=self.kind)
        self.changed = examples.changed(batch_id=target.batch.pk, kind=self.kind)

    def listener(self) -> Listener:
        return Listener(
            refuse=self.refuse,
            note=self.note,
            progress=self.progress,
            wait=self.wait,
            row=self.row,
            written=self.written,
        )

    def as_json(self, report: Report) -> dict[str, Any]:
        names = ("first_day", "last_day", "rejected", "notes", "notes_count", "created", "changed")
        counts = {part.name: getattr(report, part.name) for part in fields(report) if part.name != "rejects"}
        return {"report": counts, **{name: getattr(self, name) for name in names}}


def check(job: Job) -> Payload:
    """Do all of it and take it back."""
    upload = _upload(job)
    done = _import(upload, job, dry_run=True)
    upload.save(update_fields=["findings"])
    return {"rows": done.report.read}


def run(job: Job) -> Payload:
    upload = _upload(job)
    done = _import(upload, job, dry_run=False)
    upload.batch_id = done.batch_id
    upload.save(update_fields=["findings", "batch"])
    return {"rows": done.report.read}


def _upload(job: Job) -> Upload:
    upload = Upload.objects.filter(pk=job.payload["upload"]).first()
    if upload is None or not uploads.path_of(upload).exists():
        raise engine.Refused(uploads.GONE)
    return upload


def _import(upload: Upload, job: Job, *, dry_run: bool) -> Done:
    """Import the file with everything noted down in `upload.findings`."""
    order = Order(
        paths=[uploads.path_of(upload)],
        source=upload.source,
        mapping=upload.mapping,
        day_first=upload.day_first,
        dry_run=dry_run,
        sheet=upload.sheet,
        only_mapped=upload.preset == "generic",
    )
    work = from_files.WORK[upload.kind]
    with progress.watching(job) as watch, _usable():
        preset = from_files.preset_named(upload.preset, kind=upload.kind)
        plans = from_files.plan(order=order, preset=preset)
        with open_rejects(uploads.rejects_of(upload), [planned.header for planned in plans]) as sink:
            findings = Findings(watch=watch, kind=upload.kind, sink=sink)
            done = work(order=order, plans=plans, clock=timezone.now, listener=findings.listener())
    upload.findings = findings.as_json(done.report)
    return done


@contextmanager
def _usable() -> Iterator[None]:
    """A file that cannot be used is no failure of the work: trying again would not help."""
    try:
        yield
    except FileProblem as problem:
        raise engine.Refused(str(problem)) from None


def take_back(job: Job) -> Payload:
    try:
        undo.undo(batch_id=job.payload["batch"])
    except undo.CannotUndo as problem:
        raise engine.Refused(str(problem)) from None
    return {}


STEPS: Final = {
    step.name: step for step in (Step(Upload.CHECK, check), Step(Upload.IMPORT, run), Step(uploads.UNDO, take_back))
}
