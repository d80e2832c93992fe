"""Runs and jobs: the queue of record. Celery only rings the bell; what is to be done stands in these rows."""

from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Run(models.Model):
    """One night: the analysis for a business date. Unique by (as_of, revision); readers see only the current one."""

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    as_of = models.DateField(_("business date"))
    revision = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    step = models.CharField(max_length=30, blank=True)
    is_current = models.BooleanField(default=False)
    is_past = models.BooleanField(default=False)  # for a date before the current run's: analysis only
    facts_xid = models.BigIntegerField(default=0)  # facts of transactions below this one were read
    settings = models.JSONField(default=dict, encoder=DjangoJSONEncoder)  # the settings it ran under
    model = models.JSONField(default=dict, encoder=DjangoJSONEncoder)  # parameters and version of the engine
    stats = models.JSONField(default=dict, encoder=DjangoJSONEncoder)  # counts and totals that pages show
    error = models.TextField(blank=True)
    started_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True)  # from then on readers may see it
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["as_of", "revision"], name="one_run_per_date_and_revision"),
            models.UniqueConstraint(fields=["is_current"], condition=Q(is_current=True), name="one_run_is_current"),
            models.UniqueConstraint(fields=["state"], condition=Q(state="running"), name="one_run_at_a_time"),
            models.CheckConstraint(
                condition=Q(is_current=False) | Q(published_at__isnull=False), name="only_a_published_run_is_current"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["running", "done", "failed"]), name="a_run_has_a_known_state"
            ),
        ]

    def __str__(self) -> str:
        return f"Night of {self.as_of}, revision {self.revision}"


class Job(models.Model):
    """One piece of work that one worker does: a shard of a step of a run, or a job without a run."""

    class State(models.TextChoices):
        READY = "ready", _("Waiting")
        CLAIMED = "claimed", _("Running")
        DONE = "done", _("Done")
        DEAD = "dead", _("Failed")
        STOPPED = "stopped", _("Stopped")

    run = models.ForeignKey(Run, models.CASCADE, null=True, blank=True, related_name="jobs")
    step = models.CharField(max_length=30)
    shard = models.PositiveIntegerField(default=0)
    payload = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    state = models.CharField(max_length=10, choices=State, default=State.READY)
    attempts = models.PositiveSmallIntegerField(default=0)  # claims; the number tells one claim from the next
    losses = models.PositiveSmallIntegerField(default=0)  # claims whose worker went away
    ready_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=80, blank=True)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    result = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    error = models.TextField(blank=True)
    history = models.JSONField(default=list, encoder=DjangoJSONEncoder)  # attempts that failed (core.engine)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["run", "step", "shard"], condition=Q(run__isnull=False), name="one_job_per_step_and_shard"
            ),
            models.CheckConstraint(
                condition=~Q(state="done") | Q(finished_at__isnull=False), name="a_done_job_has_an_end"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["ready", "claimed", "done", "dead", "stopped"]), name="a_job_has_a_known_state"
            ),
        ]
        indexes: ClassVar = [
            # core.engine.claim: the next job that somebody has to do
            models.Index(fields=["ready_at", "id"], condition=Q(state="ready"), name="jobs_that_wait"),
            # core.engine.release_stale: jobs whose worker may be gone
            models.Index(fields=["claimed_at"], condition=Q(state="claimed"), name="jobs_that_run"),
        ]

    def __str__(self) -> str:
        return f"{self.step} {self.shard}"

    @property
    def seconds(self) -> float | None:
        """How long the last attempt took, once it ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


class Progress(models.Model):
    """How far a job without a run is, and whether somebody asked it to stop.

    Apart from the job's row, which the worker holds locked while it works (core.progress).
    """

    job = models.OneToOneField(Job, models.CASCADE, primary_key=True, related_name="progress")
    counts = models.JSONField(default=dict)  # what the work counts, by name
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)  # 0: not known
    stop_asked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.done} of {self.total}"

    @property
    def percent(self) -> int | None:
        """None while nobody knows how much there is to do."""
        return min(100, self.done * 100 // self.total) if self.total else None
