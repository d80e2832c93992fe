"""Tags for a long list, given or taken away by a worker, and taken back again.

What a job changed is told from the rows themselves: they carry the moment at which the job worked.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.http import QueryDict
from django.utils import timezone

from core import business, engine, progress
from core.engine import Payload, Step
from core.models import Job, User
from crm.selectors import nights, people
from customers.models import Segment, Tagging
from customers.selectors import tags as found
from customers.services import tags

TAG, UNDO, BELL = "tag_all", "undo_tag_all", "bulk_tags"
BATCH: Final = 5000


class CannotUndo(Exception):
    """The job is not done, or was taken back before."""


def start(*, query: str, tag: Segment, is_given: bool, customers: int, by: User, at: datetime) -> Job:
    """`query` is that of the customer list; whoever it finds when the work begins gets the tag, or loses it."""
    payload = {"query": query, "tag": tag.pk, "is_given": is_given, "by": by.pk}
    return engine.enqueue(step=TAG, payload=payload, total=customers, at=at, bell=BELL)


@transaction.atomic
def undo(*, job_id: int, by: User, at: datetime) -> Job:
    """Raises CannotUndo."""
    job = Job.objects.select_for_update().get(pk=job_id, step=TAG)
    if job.state != Job.State.DONE or undone_by(job_id) is not None:
        raise CannotUndo
    payload = {"job": job_id, "tag": job.payload["tag"], "by": by.pk}
    return engine.enqueue(step=UNDO, payload=payload, total=job.result["changed"], at=at, bell=BELL)


def undone_by(job_id: int) -> Job | None:
    """The job that takes another one back, done or still to do."""
    return Job.objects.filter(step=UNDO, payload__job=job_id).exclude(state=Job.State.DEAD).first()


def _tag_all(job: Job) -> Payload:
    at, told = timezone.now(), job.payload
    query = people.query(data=QueryDict(told["query"]), run=nights.current(), business=business.current())
    customers = people.ids(query)
    changed = _change(job, customers, is_given=told["is_given"], at=at)
    return {"rows": len(customers), "changed": changed, "at": at.isoformat()}


def _take_back(job: Job) -> Payload:
    done = Job.objects.get(pk=job.payload["job"])
    then, given = datetime.fromisoformat(done.result["at"]), done.payload["is_given"]
    of_job = {"added_at": then, "removed_at": None} if given else {"removed_at": then}
    rows = Tagging.objects.filter(segment_id=job.payload["tag"], **of_job).order_by("customer_id")
    customers = list(rows.values_list("customer_id", flat=True))
    changed = _change(job, customers, is_given=not given, at=timezone.now())
    return {"rows": len(customers), "changed": changed}


def _change(job: Job, customers: Sequence[int], *, is_given: bool, at: datetime) -> int:
    changed, segment = 0, Segment.objects.get(pk=job.payload["tag"])
    by = User.objects.filter(pk=job.payload["by"]).first()
    with progress.watching(job) as watch:
        for batch in _batches(customers):
            if is_given:
                changed += tags.add(segment=segment, customer_ids=batch, by=by, at=at)
            else:
                changed += tags.remove(segment_id=segment.pk, customer_ids=batch, at=at)
            watch.tell(done=watch.done + len(batch), changed=changed)
    return changed


def _batches(customers: Sequence[int]) -> Iterator[Sequence[int]]:
    return (customers[place : place + BATCH] for place in range(0, len(customers), BATCH))


STEPS: Final = {step.name: step for step in (Step(TAG, _tag_all), Step(UNDO, _take_back))}


def told(job: Job) -> dict[str, Any]:
    """What a page says of a job of these."""
    return {
        "tag": found.known().filter(pk=job.payload["tag"]).first(),
        "undone_by": undone_by(job.pk) if job.step == TAG else None,
    }
