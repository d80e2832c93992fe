"""What people and programs changed by hand: one row for each row of a table that was changed, written by triggers.

The triggers fire only where pghistory's context says that somebody acts (docs/adr/0007-history.md): imports, nights and
commands write no edits. The table is append-only; perennial_erase_edits takes personal data out of it.
"""

from typing import ClassVar

from django.db import models

from core.models.user import User


class Edit(models.Model):
    class Action(models.TextChoices):
        INSERT = "insert"
        UPDATE = "update"
        DELETE = "delete"

    table = models.CharField(max_length=63)
    object_id = models.BigIntegerField()
    # The record whose page shows it: an e-mail's edits are about the customer.
    about = models.CharField(max_length=63)
    about_id = models.BigIntegerField()
    action = models.CharField(max_length=6, choices=Action)
    changes = models.JSONField(default=dict)  # column → [before, after]; null when it was erased
    at = models.DateTimeField()
    user = models.ForeignKey(User, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+")
    program = models.CharField(max_length=80, blank=True)  # the name of the key, for a program
    url = models.CharField(max_length=500, blank=True)
    request = models.UUIDField(null=True)  # what one save changed

    class Meta:
        indexes: ClassVar = [
            # core.edits: the history of a record
            models.Index(fields=["about", "about_id", "-id"], name="edits_of_a_record"),
            # core.edits: the audit log of a person
            models.Index(fields=["user", "-id"], name="edits_of_a_person"),
            # core.edits: the audit log of a day
            models.Index(fields=["at"], name="edits_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.table} {self.object_id}"
