"""From the demo to one's own data: whoever does it gets an account of their own, and the demo goes in the background.

What goes is `crm.demo.clearing`'s decision; here is only who may stay and how the work is handed to a worker.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from core import business, engine, first_run
from core.models import Job, User
from crm.demo import accounts, clearing
from customers.models import Customer, Order

STEP: Final = "clear_demo"
BELL: Final = "own_data"


class NoDemo(Exception):
    """There is no demo here, or it is on its way out already."""


@dataclass(frozen=True, kw_only=True)
class Going:
    """What the demo has put here, and what others have beside it."""

    customers: int
    orders: int
    accounts: int
    own_orders: int
    own_accounts: int


@dataclass(frozen=True, kw_only=True)
class NewAdmin:
    name: str
    email: str
    password: str


def counts() -> Going:
    demo = Order.objects.filter(source=clearing.SOURCE).count()
    made = accounts.made().count()
    return Going(
        customers=Customer.objects.filter(identities__source=clearing.SOURCE).distinct().count(),
        orders=demo,
        accounts=made,
        own_orders=Order.objects.count() - demo,
        own_accounts=User.objects.staff().count() - made,
    )


@transaction.atomic
def start(*, by: User, admin: NewAdmin | None, at: datetime) -> User:
    """Make the account that stays, if `by` has only the demo's, and hand the clearing to a worker.

    Returns who is to be signed in from here on. Raises NoDemo.
    """
    row = business.locked()
    if not row.is_demo or is_at_work():
        raise NoDemo
    user = by if admin is None else first_run.make_admin(email=admin.email, password=admin.password, name=admin.name)
    engine.enqueue(step=STEP, payload={}, at=at, bell=BELL)
    return user


def clear(job: Job) -> engine.Payload:
    removed = clearing.clear()
    return {"rows": removed.orders, "removed": str(removed)}


STEPS: Final = {STEP: engine.Step(STEP, clear)}


def last_job() -> Job | None:
    return Job.objects.filter(step=STEP).order_by("-id").first()


def is_at_work() -> bool:
    return Job.objects.filter(step=STEP, state__in=[Job.State.READY, Job.State.CLAIMED]).exists()
