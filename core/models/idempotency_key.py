"""Answers kept under the caller's own key, so that a request sent twice takes effect once (core.idempotency)."""

from typing import ClassVar

from django.db import models


class IdempotencyKey(models.Model):
    """Written in the transaction of the effect: others see the row with its answer, or not at all."""

    caller = models.CharField(max_length=60)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)  # SHA-256 of what was asked
    status = models.PositiveSmallIntegerField(default=0)
    body = models.BinaryField(default=b"")
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["caller", "key"], name="a_caller_uses_a_key_once"),
        ]
        indexes: ClassVar = [
            # core.idempotency.prune: the oldest first
            models.Index(fields=["created_at"], name="idempotency_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.caller} {self.key}"
