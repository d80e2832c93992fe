"""What waits to be handed over, and what became of everything else."""

from datetime import datetime
from typing import Final

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet, Value

from customers.folding import Fold
from loyalty import codes
from loyalty.models import Redemption

State = Redemption.State
PAGE_ROWS: Final = 50
TABS: Final = {
    "": (State.COMMITTED,),
    "ready": (State.READY,),
    "done": (State.HANDED_OVER, State.SENT),
    "held": (State.HELD,),
    "cancelled": (State.CANCELLED, State.RELEASED),
    "all": tuple(State),
}
QUEUE: Final = frozenset({"", "ready"})  # the oldest first: somebody waits


def search(text: str, *, reward: str = "") -> QuerySet[Redemption]:
    """By the code that a customer shows, or by words of her name, e-mail or phone; of one reward, by its number."""
    found = Redemption.objects.select_related("customer", "reward", "handled_by")
    if reward.isascii() and reward.isdecimal():
        found = found.filter(reward=int(reward[:18]))
    code = codes.normalise(text)
    if len(code) == codes.LENGTH and found.filter(code=code).exists():
        return found.filter(code=code)
    for word in text.replace("\0", " ").split()[:6]:
        found = found.filter(customer__search__contains=Fold(Value(word)))
    return found


def of_tab(found: QuerySet[Redemption], tab: str) -> QuerySet[Redemption]:
    return found.filter(state__in=TABS.get(tab, TABS[""]))


def counts(found: QuerySet[Redemption]) -> dict[str, int]:
    """How many there are behind each tab. One query."""
    by_state = dict(found.order_by().values_list("state").annotate(number=Count("pk")))
    return {tab: sum(by_state.get(state, 0) for state in states) for tab, states in TABS.items()}


def page(found: QuerySet[Redemption], *, tab: str, number: str) -> Page[Redemption]:
    """What waits by the time that it has waited; the rest, the latest first."""
    order = ("made_at", "pk") if tab in QUEUE else ("-made_at", "-pk")
    return Paginator(of_tab(found, tab).order_by(*order), PAGE_ROWS).get_page(number)


def of_customer(customer_id: int, *, most: int) -> list[Redemption]:
    """The latest of one customer. One query."""
    found = Redemption.objects.filter(customer=customer_id).select_related("reward")
    return list(found.order_by("-made_at", "-pk")[:most])


def open_of_customer(customer_id: int, *, at: datetime, most: int) -> list[Redemption]:
    """What a customer has still to decide on or to fetch, the latest first. One query."""
    held = Q(state=State.HELD, expires_at__gt=at)
    found = Redemption.objects.filter(held | Q(state__in=(State.COMMITTED, State.READY)), customer=customer_id)
    return list(found.select_related("reward").order_by("-made_at", "-pk")[:most])


def of_reward(reward_id: int, *, most: int) -> list[Redemption]:
    found = Redemption.objects.filter(reward=reward_id).select_related("customer")
    return list(found.order_by("-made_at", "-pk")[:most])


def waiting() -> int:
    """For the first page and the sidebar: how many wait to be laid ready or handed over."""
    return Redemption.objects.filter(Q(state=State.COMMITTED) | Q(state=State.READY)).count()
