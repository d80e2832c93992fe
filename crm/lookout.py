"""The minute's look: leave a sign of life, judge the facts, and bring the alerts in line with them."""

from datetime import datetime

from django.db import transaction

from core import alerts, business, pulse
from crm import watching
from crm.selectors import watching as reading


@transaction.atomic
def look(*, at: datetime) -> alerts.Difference:
    mark = pulse.beat(at=at)
    verdict = watching.judge(reading.facts(at=at, awake_since=mark.since))
    return alerts.reconcile(causes=verdict.causes, held=verdict.held, at=at)


def note_arrival(*, at: datetime) -> None:
    """New facts have come in just now."""
    pulse.note_arrival(day=at.astimezone(business.current().zone).date(), at=at)
