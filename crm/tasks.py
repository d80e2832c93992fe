"""Tasks answer doorbells: they look into the rows and call one service. They may run twice and come late."""

from celery import shared_task
from django.utils import timezone

from analytics.services import totals
from core import alert_mails, business, doorbell, engine, exclusive, idempotency
from core.webhooks import emitting, sending
from crm import bulk_tags, lookout, night, own_data, schedule
from crm.portal import code_mails, invite_mails
from customers.services import browser_imports, uploads
from loyalty import tasks as points
from loyalty.services import activity, codes, fulfilment, invites, settling, tallying, tier_rules

WORK_SECONDS = 200
LONG_SECONDS = 3600  # no new import is begun after that; the next task goes on
LONGEST_SECONDS = 4 * 3600  # what one task may take
SETTLED_AT_ONCE = 20_000  # accounts of points that a sweep settles; the night settles all
LONG_WORK = 7_301_002  # an advisory lock
# Work that has tasks of its own: the sweep rings for it and does not wait.
OTHER_WORK = {
    uploads.BELL: browser_imports.STEPS,
    bulk_tags.BELL: bulk_tags.STEPS,
    own_data.BELL: own_data.STEPS,
    tier_rules.BELL: tier_rules.STEPS,
    codes.BELL: codes.STEPS,
}


@shared_task
def work() -> int:
    """Do the jobs that wait."""
    return engine.work_off(steps=night.STEPS, seconds=WORK_SECONDS)


@shared_task(acks_late=False, soft_time_limit=LONGEST_SECONDS, time_limit=LONGEST_SECONDS + 60)
def work_long() -> int:
    """Do the imports that wait, one process at a time, so that the others stay free for the night and the sweep.

    Acknowledged at once: the broker would hand out again what takes longer than its patience. The rows know what is
    not done.
    """
    with exclusive.alone(LONG_WORK) as is_mine:
        return engine.work_off(steps=browser_imports.STEPS, seconds=LONG_SECONDS) if is_mine else 0


@shared_task
def clear_demo() -> int:
    """Take the demo away, for somebody who waits for it on a page."""
    return engine.work_off(steps=own_data.STEPS, seconds=WORK_SECONDS)


@shared_task
def tag_many() -> int:
    """Tag long lists."""
    return engine.work_off(steps=bulk_tags.STEPS, seconds=WORK_SECONDS)


@shared_task
def look_at_tiers() -> int:
    """Look at everybody's tier again after the rules changed."""
    return engine.work_off(steps=tier_rules.STEPS, seconds=WORK_SECONDS)


@shared_task
def roll_up_days() -> int:
    """Add up the days whose orders changed."""
    return _roll_up()


def _roll_up() -> int:
    days = totals.refresh()
    if days:
        lookout.note_arrival(at=timezone.now())
    return days


@shared_task
def watch() -> int:
    """Look once a minute whether something needs a person, and tell them; returns how many mails went out."""
    lookout.look(at=timezone.now())
    return alert_mails.send_waiting(at=timezone.now())


@shared_task
def send_alert_mails() -> int:
    return alert_mails.send_waiting(at=timezone.now())


@shared_task
def tell_webhooks() -> int:
    """Send what waits for receivers outside."""
    return sending.send_waiting(seconds=WORK_SECONDS)


@shared_task
def send_codes() -> int:
    """Mail the sign-in codes that customers asked for."""
    return code_mails.send_waiting(at=timezone.now())


@shared_task
def send_invitations() -> int:
    """Mail those who opened a friend's link."""
    return invite_mails.send_waiting(at=timezone.now())


@shared_task
def night_if_due() -> int | None:
    """Start the night when it is time."""
    started = night.start_if_due(at=timezone.now(), hour=schedule.NIGHT_HOUR)
    return started.run.pk if started else None


@shared_task
def sweep() -> int:
    """Look into the rows once a minute, whether a bell was heard or not."""
    engine.sweep(steps=night.STEPS, at=timezone.now())
    _roll_up()
    points.follow_orders()
    activity.catch_up(at=timezone.now())
    settling.settle_all(at=timezone.now(), most=SETTLED_AT_ONCE)
    tallying.catch_up(business=business.current(), at=timezone.now())
    fulfilment.release_overdue(at=timezone.now())
    idempotency.prune(at=timezone.now())
    uploads.tidy(at=timezone.now())
    sending.prune(at=timezone.now())
    if sending.is_waiting(at=timezone.now()):
        doorbell.ring(emitting.BELL)
    invites.prune(at=timezone.now())
    if invites.is_waiting():
        doorbell.ring(invites.BELL)
    if code_mails.is_waiting():
        doorbell.ring(code_mails.BELL)
    for bell, steps in OTHER_WORK.items():
        if engine.is_waiting(steps=steps, at=timezone.now()):
            doorbell.ring(bell)
    return engine.work_off(steps=night.STEPS, seconds=WORK_SECONDS)
