"""What a new shop still has to do, read from what is there and not from ticks that somebody set."""

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.models import ApiKey, Business, Role, Run, User
from customers.models import Contract, Order, UnmatchedReturn


@dataclass(frozen=True, kw_only=True)
class Text:
    slug: str
    title: Promise | str
    text: Promise | str
    route: str
    icon: str


@dataclass(frozen=True, kw_only=True)
class FirstStep:
    text: Text
    is_done: bool


TEXTS: Final = (
    Text(
        slug="business",
        title=_("Say what your business is"),
        text=_("Name, time zone and currency, before orders fix them."),
        route="desk:welcome",
        icon="building-store",
    ),
    Text(
        slug="orders",
        title=_("Bring your orders"),
        text=_("A file from your shop, CSV or XLSX. You see what would be imported before anything is."),
        route="customers:import_list",
        icon="file-upload",
    ),
    Text(
        slug="night",
        title=_("Run the first night"),
        text=_("It works out what each customer is worth and who is about to leave."),
        route="desk:job_list",
        icon="moon-stars",
    ),
    Text(
        slug="staff",
        title=_("Invite your staff"),
        text=_("Each with a role that says what they may do."),
        route="settings:staff_list",
        icon="user-plus",
    ),
    Text(
        slug="shop",
        title=_("Connect the shop"),
        text=_("With a key your shop sends each order by itself, a second after it is placed."),
        route="settings:key_list",
        icon="plug-connected",
    ),
)


def has_orders() -> bool:
    return Order.objects.exists() or UnmatchedReturn.objects.exists()


def has_facts() -> bool:
    """Whether there is anything whose day and amount were read in the zone and currency that are set."""
    return has_orders() or Contract.objects.exists()


def read(*, business: Business, user: User) -> list[FirstStep]:
    """The steps, for an admin of a shop that has not done them all; else none. Four queries at most."""
    if user.role != Role.ADMIN or business.is_demo or business.hides_first_steps:
        return []
    done = {
        "business": business.name != Business._meta.get_field("name").get_default(),
        "orders": has_orders(),
        "night": Run.objects.filter(is_current=True).exists(),
        "staff": User.objects.staff().exclude(pk=user.pk).exists(),
        "shop": ApiKey.objects.exists(),
    }
    return [] if all(done.values()) else [FirstStep(text=text, is_done=done[text.slug]) for text in TEXTS]
