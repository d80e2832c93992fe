"""Signs of life and of new facts, written by the workers and read by everybody."""

from typing import Final

from django.db import models


class Pulse(models.Model):
    """When a worker last answered the beat, and since when it has done so without a long pause."""

    WATCH: Final = "watch"

    name = models.CharField(max_length=30, primary_key=True)
    at = models.DateTimeField()
    since = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Arrival(models.Model):
    """A business date on which new orders or refunds came in: what the shop's own pace is judged by."""

    day = models.DateField(primary_key=True)
    last_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.day)
