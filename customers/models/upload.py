"""A file on its way through the browser: uploaded, mapped, tried out, imported. The import itself is a batch."""

import uuid
from enum import StrEnum
from typing import ClassVar

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from core.models import Job
from customers.models.batch import ImportBatch


class Stage(StrEnum):
    """Where an upload stands, told by its last job."""

    MAPPING = "mapping"  # the columns are to be chosen
    CHECKING = "checking"
    CHECKED = "checked"  # the dry run is done
    IMPORTING = "importing"
    STOPPED = "stopped"
    FAILED = "failed"
    DONE = "done"


class Upload(models.Model):
    CHECK, IMPORT = "check_import", "import"  # steps of its jobs

    kind = models.CharField(max_length=10, choices=ImportBatch.Kind)
    file_name = models.CharField(max_length=200)
    folder = models.UUIDField(default=uuid.uuid4, unique=True)  # under PERENNIAL_HOME/uploads
    size_bytes = models.BigIntegerField()
    lines = models.BigIntegerField(null=True)  # of a plain text file: roughly its rows
    sha256 = models.CharField(max_length=64)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    uploaded_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)  # when the file went

    sheets = models.JSONField(default=list)
    sheet = models.CharField(max_length=100, blank=True)  # "": the first with data
    preset = models.CharField(max_length=30)
    source = models.CharField(max_length=60)
    mapping = models.JSONField(default=dict)  # field → column, for the preset that takes any columns
    day_first = models.BooleanField(null=True)

    findings = models.JSONField(default=dict, encoder=DjangoJSONEncoder)  # what the last dry run or import saw
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    batch = models.OneToOneField(ImportBatch, models.CASCADE, null=True, related_name="upload")

    class Meta:
        indexes: ClassVar = [
            # customers.services.uploads.earlier: the same file before
            models.Index(fields=["sha256"], name="uploads_of_a_file"),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def stage(self) -> Stage:
        """Load it with its job."""
        if self.batch_id is not None:
            return Stage.DONE
        if self.job is None:
            return Stage.MAPPING
        is_check = self.job.step == self.CHECK
        return {
            Job.State.READY: Stage.CHECKING if is_check else Stage.IMPORTING,
            Job.State.CLAIMED: Stage.CHECKING if is_check else Stage.IMPORTING,
            Job.State.DONE: Stage.CHECKED,
            Job.State.DEAD: Stage.FAILED,
            Job.State.STOPPED: Stage.STOPPED,
        }[Job.State(self.job.state)]

    @property
    def is_at_work(self) -> bool:
        return self.stage in (Stage.CHECKING, Stage.IMPORTING)
