"""Who referred whom, and what the facts say of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Sum, Value, When

from customers.models import Customer, Email, Order, Phone
from loyalty import codes, sameness
from loyalty.models import Referral, ReferralCode, ReferralPlan
from loyalty.selectors import addresses

State = Referral.State
# What has not come to nothing: it counts against the limit of a code.
COUNTED: Final = (State.PENDING, State.HELD, State.CONVERTED, State.REWARDED)
OPEN: Final = (State.PENDING, State.HELD, State.CONVERTED, State.REWARDED)
MANY: Final = 3  # claims from one internet address within MANY_WITHIN that are more than a household's
MANY_WITHIN: Final = timedelta(days=30)

ANCESTORS: Final = """
WITH RECURSIVE above AS (
    SELECT advocate_id FROM loyalty_referral WHERE friend_id = %(customer)s
    UNION SELECT r.advocate_id FROM loyalty_referral r JOIN above ON r.friend_id = above.advocate_id
)
SELECT EXISTS (SELECT FROM above WHERE advocate_id = %(wanted)s)
"""


def plan() -> ReferralPlan:
    """The plan's row, made with its defaults on first use. It may not be switched on."""
    return ReferralPlan.objects.get_or_create(id=1)[0]


def is_open() -> bool:
    return ReferralPlan.objects.filter(opened_at__isnull=False).exists()


def code_of(text: str) -> ReferralCode | None:
    """The code that people mean by `text`."""
    return ReferralCode.objects.select_related("customer").filter(code=codes.normalise(text)).first()


def same_person(customer_id: int) -> list[int]:
    """The customer, and those who share an e-mail or a phone number with them: one buyer, for all we know."""
    emails = Email.objects.filter(customer=customer_id).values("address")
    numbers = Phone.objects.filter(customer=customer_id).values("number")
    by_email = Email.objects.filter(address__in=emails).values_list("customer_id", flat=True)
    by_phone = Phone.objects.filter(number__in=numbers).values_list("customer_id", flat=True)
    return sorted({customer_id, *by_email, *by_phone})


def same_mailbox(customer_id: int) -> list[int]:
    """The customer, and those with an e-mail of theirs. A shop knows who came by a link under a number of its own."""
    emails = Email.objects.filter(customer=customer_id).values("address")
    return sorted({customer_id, *Email.objects.filter(address__in=emails).values_list("customer_id", flat=True)})


def paid_orders(customer_ids: Sequence[int]) -> QuerySet[Order]:
    """Paid orders in the order in which they were placed, those that came back too."""
    return Order.objects.filter(customer__in=customer_ids, status=Order.Status.PAID).order_by("placed_at", "pk")


def amount(order: Order) -> int:
    """What the order came to: goods after discounts, less what came back, in minor units."""
    back = order.refunds.aggregate(cents=Sum("value_cents"))["cents"] or 0
    return order.value_cents - back


def counting_order(referral: Referral, plan: ReferralPlan) -> Order | None:
    """The friend's first paid order after the claim, in time, that comes to enough.

    It may stand under another number with the friend's e-mail, unless that one was referred too.
    """
    until = referral.claimed_at + timedelta(days=plan.window_days)
    others = Referral.objects.filter(friend__in=(same := same_mailbox(referral.friend_id))).exclude(pk=referral.pk)
    buyers = set(same) - {referral.advocate_id, *others.values_list("friend_id", flat=True)}
    placed = paid_orders(sorted(buyers)).filter(placed_at__gte=referral.claimed_at, placed_at__lte=until)
    return next((order for order in placed.prefetch_related("refunds") if counts(order, plan)), None)


def counts(order: Order, plan: ReferralPlan) -> bool:
    """Whether the order is worth points now."""
    is_whole = order.status == Order.Status.PAID and order.fully_refunded_on is None
    return is_whole and amount(order) >= max(plan.least_cents, 1)


def had_bought(customer_id: int, *, before: datetime) -> bool:
    """Whether the customer, or somebody with their e-mail or phone, had a paid order placed before that moment."""
    return paid_orders(same_person(customer_id)).filter(placed_at__lt=before).exists()


def may_claim(customer_id: int, *, at: datetime) -> bool:
    """Whether a friend's code can still be noted: none is, and the first order could still count for one."""
    came_by = Referral.objects.filter(friend=customer_id)
    return is_open() and not came_by.exists() and not had_bought(customer_id, before=at)


def is_above(*, customer_id: int, wanted: int) -> bool:
    """Whether `wanted` referred the customer, or somebody who did, and so on."""
    with connection.cursor() as cursor:
        cursor.execute(ANCESTORS, {"customer": customer_id, "wanted": wanted})
        return bool(cursor.fetchone()[0])


def suspicions(*, advocate_id: int, friend_id: int, caller: str, at: datetime) -> list[str]:
    """Reasons for a person to look at a claim that was made at `at`; without a caller what is known of the two."""
    reason, told = Referral.Reason, []
    emails = [
        list(Email.objects.filter(customer=pk).values_list("address", flat=True)) for pk in (advocate_id, friend_id)
    ]
    if sameness.are_similar(*emails):
        told.append(reason.SIMILAR_EMAIL)
    numbers = Phone.objects.filter(customer=advocate_id).values("number")
    if Phone.objects.filter(customer=friend_id, number__in=numbers).exists():
        told.append(reason.SAME_PHONE)
    if addresses.is_shared(advocate_id, friend_id):
        told.append(reason.SAME_ADDRESS)
    if addresses.friends_there(advocate_id=advocate_id, friend_id=friend_id):
        told.append(reason.FRIENDS_ADDRESS)
    buyers = set(addresses.neighbours(friend_id)) - {advocate_id, *same_person(friend_id)}
    if paid_orders(sorted(buyers)).filter(placed_at__lt=at).exists():
        told.append(reason.KNOWN_ADDRESS)
    lately = Referral.objects.filter(caller=caller, claimed_at__gt=at - MANY_WITHIN)
    if caller and lately.count() >= MANY:
        told.append(reason.MANY_FROM_IP)
    return [value.value for value in told]


@dataclass(frozen=True, slots=True)
class Tally:
    """An advocate's referrals by what became of them, and the points they brought."""

    pending: int
    converted: int
    rewarded: int
    points: int


def tally(customer_id: int) -> Tally:
    earned = Case(
        When(state__in=[State.CONVERTED, State.REWARDED], then=F("advocate_points")),
        default=Value(0),
        output_field=IntegerField(),
    )
    row = Referral.objects.filter(advocate=customer_id).aggregate(
        pending=Count("pk", filter=Q(state__in=[State.PENDING, State.HELD])),
        converted=Count("pk", filter=Q(state=State.CONVERTED)),
        rewarded=Count("pk", filter=Q(state=State.REWARDED)),
        points=Sum(earned, default=0),
    )
    return Tally(**row)


def of_advocate(customer: Customer) -> QuerySet[Referral]:
    """The newest first."""
    return Referral.objects.filter(advocate=customer).select_related("friend").order_by("-claimed_at", "-pk")
