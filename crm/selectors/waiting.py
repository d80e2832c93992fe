"""What waits for a person who may decide on it."""

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.models import Business, Role, User
from loyalty import naming
from loyalty.models import Referral
from loyalty.selectors import adjustments, redemptions

DECIDERS: Final = frozenset({Role.ADMIN, Role.MANAGER})
DESK: Final = DECIDERS | {Role.AGENT}


@dataclass(frozen=True, kw_only=True)
class Kind:
    slug: str
    title: Promise | str
    text: Promise | str
    action: Promise | str
    route: str
    icon: str
    roles: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Waiting:
    kind: Kind
    number: int


KINDS: Final = (
    Kind(
        slug="approvals",
        title=_("Approvals"),
        text=naming.later(_("Adjustments of %(points)s above the limit: a second person agrees or declines.")),
        action=_("Decide"),
        route="loyalty:adjustment_list",
        icon="user-check",
        roles=DECIDERS,
    ),
    Kind(
        slug="referrals",
        title=_("Held referrals"),
        text=naming.later(_("They look like a trick: nobody gets %(points)s before somebody has looked.")),
        action=_("Look at them"),
        route="loyalty:referral_list",
        icon="eye",
        roles=DECIDERS,
    ),
    Kind(
        slug="redemptions",
        title=_("Rewards to hand over"),
        text=naming.later(_("Customers have paid for them with %(points)s.")),
        action=_("Open the queue"),
        route="loyalty:redemption_list",
        icon="gift",
        roles=DESK,
    ),
)


def read(*, business: Business, user: User) -> list[Waiting]:
    """Of what this person may decide on, that of which there is some. Three queries at most, none without points."""
    mine = [kind for kind in KINDS if user.role in kind.roles] if business.has_loyalty else []
    numbers = [Waiting(kind=kind, number=_number(kind.slug, user)) for kind in mine]
    return [one for one in numbers if one.number]


def _number(slug: str, user: User) -> int:
    """Nobody decides on an adjustment of their own."""
    if slug == "approvals":
        return adjustments.waiting_for(user.pk).count()
    if slug == "referrals":
        return Referral.objects.filter(state=Referral.State.HELD).count()
    return redemptions.waiting()
