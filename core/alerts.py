"""One open alert for each cause: opened when it is seen, closed when it is gone, however often somebody looks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q

from core import doorbell
from core.models import Alert, AlertMail, AlertMailOff, AlertRead, Role, User

CLOSED_SHOWN: Final = timedelta(days=30)
MOST_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Cause:
    """Something a person has to look at. `key` is the same as long as it is the same cause."""

    key: str
    kind: Alert.Kind
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    new: list[Cause]
    changed: list[Cause]
    gone: list[str]  # keys


def difference(*, known: Mapping[str, Mapping[str, Any]], causes: Sequence[Cause], held: Collection[str]) -> Difference:
    """What has to be done so that the open alerts (`known`: facts by key) are the causes. `held` stay as they are."""
    wanted = {cause.key: cause for cause in causes}
    return Difference(
        new=[cause for key, cause in wanted.items() if key not in known],
        changed=[cause for key, cause in wanted.items() if key in known and dict(known[key]) != dict(cause.facts)],
        gone=[key for key in known if key not in wanted and key not in held],
    )


@transaction.atomic
def reconcile(*, causes: Sequence[Cause], held: Collection[str] = (), at: datetime) -> Difference:
    """Open, update and close. Call it under the lock of core.pulse.beat, or two callers might both see a new cause."""
    known = dict(Alert.objects.filter(closed_at=None).values_list("key", "facts"))
    found = difference(known=known, causes=causes, held=held)
    _close(found.gone, at=at)
    for cause in found.changed:
        Alert.objects.filter(key=cause.key, closed_at=None).update(facts=cause.facts)
    if found.new:
        opened = [Alert(key=new.key, kind=new.kind, facts=new.facts, opened_at=at) for new in found.new]
        _plan_mails(Alert.objects.bulk_create(opened), at=at)
        doorbell.ring("alerts")
    return found


def _close(keys: list[str], *, at: datetime) -> None:
    gone = Alert.objects.filter(key__in=keys, closed_at=None)
    waiting = AlertMail.objects.filter(alert__in=gone, state=AlertMail.State.PENDING)
    waiting.update(state=AlertMail.State.DROPPED)
    gone.update(closed_at=at)


def _plan_mails(alerts: Sequence[Alert], *, at: datetime) -> None:
    """One mail for each new alert and each active admin who has not switched mails off."""
    silent = AlertMailOff.objects.values("user")
    admins = User.objects.filter(role=Role.ADMIN, is_active=True).exclude(pk__in=silent).order_by("pk")
    mails = [AlertMail(alert=alert, user=admin, ready_at=at) for admin in admins for alert in alerts]
    AlertMail.objects.bulk_create(mails)


def unread(user: User) -> int:
    """The number in the bell: open alerts that this person has not seen."""
    return Alert.objects.filter(closed_at=None).exclude(reads__user=user).count()


def listed(user: User, *, at: datetime) -> list[Alert]:
    """Open alerts, the unread and then the newest first, and after them those closed lately; `is_read` is set."""
    lately = Q(closed_at=None) | Q(closed_at__gte=at - CLOSED_SHOWN)
    rows = list(Alert.objects.filter(lately).order_by("-opened_at", "-pk")[:MOST_SHOWN])
    read = set(AlertRead.objects.filter(user=user, alert__in=rows).values_list("alert_id", flat=True))
    for row in rows:
        row.is_read = row.pk in read
    return sorted(rows, key=lambda row: (row.closed_at is not None, row.is_read))


def mark_read(*, user: User, ids: Sequence[int] | None = None) -> None:
    """Mark these alerts (None: all open ones) as seen by this person; again does no harm."""
    chosen = Alert.objects.filter(closed_at=None) if ids is None else Alert.objects.filter(pk__in=ids)
    reads = [AlertRead(alert_id=pk, user=user) for pk in chosen.values_list("pk", flat=True)]
    AlertRead.objects.bulk_create(reads, ignore_conflicts=True)


def wants_mail(user: User) -> bool:
    return not AlertMailOff.objects.filter(user=user).exists()


def set_mail(*, user: User, wanted: bool) -> None:
    """Switch this person's mails on or off; those that wait are dropped."""
    if wanted:
        AlertMailOff.objects.filter(user=user).delete()
        return
    AlertMailOff.objects.get_or_create(user=user)
    AlertMail.objects.filter(user=user, state=AlertMail.State.PENDING).update(state=AlertMail.State.DROPPED)
