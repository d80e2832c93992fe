"""Tasks answer doorbells: they look into the rows and call one service. They may run twice and come late."""

from celery import shared_task
from django.utils import timezone

from core import business
from loyalty.services import crediting, tiers


@shared_task
def credit() -> int:
    """Points, and then tiers, for orders that changed."""
    return follow_orders()


def follow_orders() -> int:
    at = timezone.now()
    done = crediting.credit(at=at)
    tiers.follow(business=business.current(), at=at)
    return done
