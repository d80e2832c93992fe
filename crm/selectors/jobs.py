"""What works and what worked: nights, imports and every job, those that failed first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Count
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from core import failures, paging
from core.models import Job, Run, User
from core.paging import Phase
from core.templatetags import ui
from crm import labels
from crm.selectors import nights
from customers.models import ImportBatch, Segment, Upload

IMPORTS_SHOWN: Final = 10
PAGE_SIZE: Final = 30
FAILED_ON_TOP: Final = 5
# What the tabs show; the empty one is everything.
STATES: Final = ("", Job.State.DEAD, Job.State.CLAIMED, Job.State.READY, Job.State.STOPPED, Job.State.DONE)


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """A job with its name in words and, where something went wrong, the reason."""

    job: Job
    label: str | Promise
    reason: failures.Reason | None

    @property
    def part(self) -> int | None:
        """Its number where a step has several; jobs without a night are whole."""
        return self.job.shard + 1 if self.job.run_id is not None and self.job.shard else None


@dataclass(frozen=True, kw_only=True)
class Board:
    nights: list[Run]
    imports: list[ImportBatch]
    jobs: list[JobRow]
    failed: list[JobRow]  # of these, what waits for a person: shown on top of the first page
    state: str
    tabs: list[tuple[str, str | Promise, int]]  # state, name, jobs in it
    previous: str
    next: str


def board(*, state: str = "", cursor: str = "") -> Board:
    """One page of jobs in a state (an unknown one shows all), beside the latest nights and imports."""
    state = state if state in STATES else ""
    page = paging.page(_phases(state), cursor=cursor, size=PAGE_SIZE)
    rows = [row(job) for _, job in page.rows]
    return Board(
        nights=list(nights.recent()),
        imports=list(ImportBatch.objects.select_related("upload__by").order_by("-started_at", "-pk")[:IMPORTS_SHOWN]),
        jobs=rows,
        failed=[] if state or cursor else [each for each in rows if each.job.state == Job.State.DEAD][:FAILED_ON_TOP],
        state=state,
        tabs=_tabs(),
        previous=page.previous,
        next=page.next,
    )


def _phases(state: str) -> list[Phase]:
    """Newest first; where all are shown, those that wait for a person before the others."""
    rows = Job.objects.select_related("run").defer("run__model", "run__stats", "run__settings")
    if state:
        return [Phase(rows=rows.filter(state=state), descending=True)]
    failed = rows.filter(state=Job.State.DEAD)
    return [Phase(rows=failed, descending=True), Phase(rows=rows.exclude(state=Job.State.DEAD), descending=True)]


def _tabs() -> list[tuple[str, str | Promise, int]]:
    counted: dict[str, int] = dict(Job.objects.order_by().values_list("state").annotate(Count("pk")))
    names: dict[str, Any] = {"": labels.ALL_JOBS, **dict(Job.State.choices)}
    return [(state, names[state], counted.get(state, 0) if state else sum(counted.values())) for state in STATES]


def row(job: Job) -> JobRow:
    return JobRow(job=job, label=labels.step(job.step), reason=failures.reason(job.error) if job.error else None)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One try that came to nothing."""

    number: int
    worker: str
    began: datetime | None
    ended: datetime
    error: str
    reason: failures.Reason


def attempts(job: Job) -> list[Attempt]:
    """The tries that failed or were lost, the last one first."""
    return [
        Attempt(
            number=told["attempt"],
            worker=told["worker"],
            began=datetime.fromisoformat(told["began"]) if told["began"] else None,
            ended=datetime.fromisoformat(told["ended"]),
            error=told["error"],
            reason=failures.reason(told["error"]),
        )
        for told in reversed(job.history)
    ]


def facts(job: Job) -> list[tuple[str, str]]:
    """What a job was asked to do, in words; what only the program needs to know is left out."""
    told, found = job.payload, list[tuple[str, str]]()
    if "first" in told and "last" in told:
        span = {"first": ui.grouped(told["first"]), "last": ui.grouped(told["last"])}
        found.append((_("Customers"), _("numbers %(first)s to %(last)s") % span))
    if "tag" in told and (tag := Segment.objects.filter(pk=told["tag"]).first()):
        found.append((_("Tag"), tag.name))
    if "is_given" in told:
        found.append((_("What to do"), _("Give it") if told["is_given"] else _("Take it away")))
    if "by" in told and (user := User.objects.filter(pk=told["by"]).first()):
        found.append((_("Asked for by"), str(user)))
    return found


def upload_of(job: Job) -> Upload | None:
    """The uploaded file that a job tries out, imports or takes back."""
    if (number := job.payload.get("upload")) is not None:
        return Upload.objects.filter(pk=number).first()
    if (batch := job.payload.get("batch")) is not None:
        return Upload.objects.filter(batch=batch).first()
    return None
