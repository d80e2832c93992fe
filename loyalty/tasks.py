"""Tasks answer doorbells: they look into the rows and call one service. They may run twice and come late."""

from celery import shared_task
from django.utils import timezone

from core import business, engine
from loyalty.services import codes, crediting, offer_orders, offers, referrals, tiers

WORK_SECONDS = 200


@shared_task
def credit() -> int:
    """Points, and then tiers, for orders that changed."""
    return follow_orders()


def follow_orders() -> int:
    """Tiers whose last day is over end before points are multiplied by them, whether the night has come or not."""
    at, row = timezone.now(), business.current()
    tiers.expire(business=row, at=at)
    done = crediting.credit(at=at)
    tiers.follow(business=row, at=at)
    offers.release_expired(at=at)
    referrals.follow(at=at)
    referrals.pass_time(at=at)
    return done + offer_orders.follow(at=at)


@shared_task
def make_codes() -> int:
    """Draw codes by the thousand."""
    return engine.work_off(steps=codes.STEPS, seconds=WORK_SECONDS)
