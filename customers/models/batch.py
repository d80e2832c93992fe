"""One import of files, and which rows it made or changed, so that it can be taken back."""

from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Job


class ImportBatch(models.Model):
    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        UNDONE = "undone", _("Taken back")

    class Kind(models.TextChoices):
        ORDERS = "orders", _("Orders")
        CUSTOMERS = "customers", _("Customers")
        CONTRACTS = "contracts", _("Contracts")

    kind = models.CharField(max_length=10, choices=Kind)
    source = models.CharField(max_length=60)
    preset = models.CharField(max_length=30)
    files = models.JSONField(default=list)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    report = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    error = models.TextField(blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    undo_job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="+")

    def __str__(self) -> str:
        return f"Import {self.pk} ({self.source})"


class ImportedRow(models.Model):
    """A row that a batch created or changed. `before` holds the changed columns as they were."""

    batch = models.ForeignKey(ImportBatch, models.CASCADE, related_name="rows")
    table = models.CharField(max_length=20)
    object_id = models.BigIntegerField()
    created = models.BooleanField()
    before = models.JSONField(null=True, encoder=DjangoJSONEncoder)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["batch", "table", "object_id"], name="a_batch_names_a_row_once"),
            models.CheckConstraint(
                condition=models.Q(created=True) | models.Q(before__isnull=False),
                name="a_changed_row_keeps_what_it_was",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.table} {self.object_id}"
