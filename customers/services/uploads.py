"""Files that come through the browser: kept, looked into, tried out, imported, and removed when they have served.

A try-out and an import are jobs of one transaction each: a killed worker or a stop leaves nothing behind.
"""

import os
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils.text import get_valid_filename

from core import engine
from core.models import Job, User
from core.receiving import Received
from customers.importing import columns, dates, preview, suggestions
from customers.importing.preview import Preview
from customers.importing.problems import FileProblem
from customers.models import ImportBatch, Upload
from customers.services import from_files

MOST_BYTES: Final = 1 << 30
KEPT: Final = timedelta(days=7)  # after the last thing that happened to it
ORPHANED: Final = timedelta(days=1)
REMOVED_AT_ONCE: Final = 100
LONGEST_NAME: Final = 120
BELL: Final = "long_jobs"
GONE: Final = "The uploaded file is not there any more. Upload it again."


class Busy(Exception):
    """The upload is at work, or done, so that this cannot be done with it now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """How a file is to be read. `mapping` (field → column) is for the preset that takes any columns."""

    preset: str
    source: str
    mapping: Mapping[str, str]
    sheet: str = ""
    day_first: bool | None = None


def root() -> Path:
    return Path(settings.PERENNIAL_HOME) / "uploads"


def folder_of(upload: Upload) -> Path:
    return root() / upload.folder.hex


def path_of(upload: Upload) -> Path:
    """The file under its own name, which messages speak of."""
    return folder_of(upload) / "file" / upload.file_name


def rejects_of(upload: Upload) -> Path:
    return folder_of(upload) / "rejects.csv"


def keep(*, received: Received, kind: str, by: User, at: datetime) -> Upload:
    """Take the file and look into it. Raises FileProblem for what can be no table, and then keeps nothing."""
    upload = Upload(
        kind=kind,
        file_name=plain_name(received.name or ""),
        folder=uuid.uuid4(),
        size_bytes=received.size or 0,
        sha256=received.sha256,
        by=by,
        uploaded_at=at,
    )
    path = path_of(upload)
    path.parent.mkdir(parents=True)
    os.replace(received.path, path)  # noqa: PTH105 - says that it replaces
    try:
        seen = preview.look(path)
    except FileProblem:
        shutil.rmtree(folder_of(upload))
        raise
    upload.sheets, upload.lines = seen.sheets, _lines(received, path)
    upload.preset = suggestions.preset_of(seen.header, kind=kind)
    upload.source = "shop" if upload.preset == "generic" else upload.preset
    upload.save()
    return upload


def plain_name(name: str) -> str:
    """A name without what a disk or a page could stumble over; its ending stays."""
    path = Path(get_valid_filename(f"_{name}").removeprefix("_").lstrip(".") or "file")
    return f"{path.stem[: LONGEST_NAME - 10]}{path.suffix[:10]}"


def _lines(received: Received, path: Path) -> int | None:
    with path.open("rb") as file:
        is_packed = file.read(2) in (b"\x1f\x8b", b"PK")
    return None if is_packed else max(1, received.lines)


def look(upload: Upload, *, sheet: str | None = None) -> Preview:
    """The first rows. Raises FileProblem."""
    if not path_of(upload).exists():
        raise FileProblem(GONE)
    return preview.look(path_of(upload), sheet=upload.sheet if sheet is None else sheet)


def is_ambiguous(seen: Preview) -> bool:
    """Whether a column of dates can be read with the day or the month first."""
    return any(dates.is_ambiguous(seen.column(number)) for number in range(len(seen.header)))


def earlier(upload: Upload) -> Upload | None:
    """The last time that the very same file was imported as what it is."""
    same = Upload.objects.filter(sha256=upload.sha256, kind=upload.kind, batch__state=ImportBatch.State.DONE)
    return same.exclude(pk=upload.pk).select_related("batch", "by").order_by("-batch__started_at", "-pk").first()


def check(*, upload_id: int, choice: Choice, at: datetime) -> Upload:
    """Begin a dry run with this choice. Raises FileProblem when it does not fit the file, and Busy."""
    with transaction.atomic():
        upload = _locked(upload_id)
        preset = from_files.preset_named(choice.preset, kind=upload.kind)
        seen = look(upload, sheet=choice.sheet)
        is_generic = choice.preset == "generic"
        columns.positions(
            seen.header,
            file=upload.file_name,
            aliases=dict.fromkeys(preset.aliases, ()) if is_generic else preset.aliases,
            required=preset.required,
            mapping=choice.mapping if is_generic else {},
        )
        upload.preset, upload.source, upload.sheet = choice.preset, choice.source, choice.sheet
        upload.mapping, upload.day_first = dict(choice.mapping) if is_generic else {}, choice.day_first
        upload.findings = {}
        upload.job = _job(upload, Upload.CHECK, at)
        upload.save()
    return upload


def start(*, upload_id: int, at: datetime) -> Upload:
    """Begin the import as it was tried out. Raises Busy."""
    with transaction.atomic():
        upload = _locked(upload_id)
        if not upload.findings:
            raise Busy("Try the file out first.")
        upload.job = _job(upload, Upload.IMPORT, at)
        upload.save(update_fields=["job"])
    return upload


def _job(upload: Upload, step: str, at: datetime) -> Job:
    rows = upload.findings.get("report", {}).get("read", upload.lines or 0)
    return engine.enqueue(step=step, payload={"upload": upload.pk}, total=2 * rows, at=at, bell=BELL)


def _locked(upload_id: int) -> Upload:
    upload = Upload.objects.select_for_update(of=("self",)).select_related("job").get(pk=upload_id)
    if upload.batch_id is not None:
        raise Busy("This file is imported already.")
    if upload.is_at_work:
        raise Busy("This file is at work already.")
    return upload


def stop(*, upload_id: int, at: datetime) -> None:
    """Ask the job to stop. What it did so far is taken back with its transaction."""
    job_id = Upload.objects.values_list("job_id", flat=True).get(pk=upload_id)
    if job_id is not None:
        engine.stop(job_id=job_id, at=at)


def discard(*, upload_id: int) -> None:
    """Forget a file that was not imported. Raises Busy."""
    with transaction.atomic():
        upload = _locked(upload_id)
        upload.delete()
    shutil.rmtree(folder_of(upload), ignore_errors=True)


def undo(*, batch_id: int, at: datetime) -> ImportBatch:
    """Begin to take an import back. Raises Busy when it is at that already, or was."""
    with transaction.atomic():
        batch = ImportBatch.objects.select_for_update(of=("self",)).select_related("undo_job").get(pk=batch_id)
        if batch.state != ImportBatch.State.DONE or is_undoing(batch):
            raise Busy("This import is not there to be taken back.")
        batch.undo_job = engine.enqueue(step=UNDO, payload={"batch": batch.pk}, at=at, bell=BELL)
        batch.save(update_fields=["undo_job"])
    return batch


UNDO: Final = "undo_import"


def is_undoing(batch: ImportBatch) -> bool:
    job = batch.undo_job
    return job is not None and job.state in (Job.State.READY, Job.State.CLAIMED)


def tidy(*, at: datetime) -> int:
    """Remove files that have served or that nobody came back to; returns how many."""
    old = Upload.objects.filter(removed_at=None, uploaded_at__lt=at - KEPT).select_related("job", "batch__undo_job")
    removed = 0
    for upload in old.order_by("pk")[:REMOVED_AT_ONCE]:
        if not upload.is_at_work and _last_event(upload) < at - KEPT:
            shutil.rmtree(folder_of(upload), ignore_errors=True)
            Upload.objects.filter(pk=upload.pk).update(removed_at=at)
            removed += 1
    return removed + _remove_orphans(at)


def _last_event(upload: Upload) -> datetime:
    jobs = [upload.job, upload.batch.undo_job if upload.batch else None]
    return max([upload.uploaded_at, *(job.finished_at for job in jobs if job is not None and job.finished_at)])


def _remove_orphans(at: datetime) -> int:
    """What a process left that died while a file came in."""
    if not root().exists():
        return 0
    known = {folder.hex for folder in Upload.objects.filter(removed_at=None).values_list("folder", flat=True)}
    old = (at - ORPHANED).timestamp()
    orphans = [path for path in root().iterdir() if path.name not in known and path.stat().st_mtime < old]
    for path in orphans[:REMOVED_AT_ONCE]:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return len(orphans[:REMOVED_AT_ONCE])
