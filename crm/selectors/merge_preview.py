"""Two customers side by side, and what the one who stays will have: for whoever decides whether they are one person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, Sum
from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import money
from core.models import Business
from crm.selectors import customer as one
from customers.models import Consent, Contract, Customer, Order, PortalAccess, Tagging
from customers.places import Place
from customers.selectors import consents
from customers.services import custom, joining
from customers.services.joining import Pair
from loyalty import naming
from loyalty.models import Referral
from loyalty.selectors import histories, points, tiers
from loyalty.selectors.histories import HoldRow

FIELDS: Final[dict[str, Promise]] = {
    "name": gettext_lazy("Name"),
    "company": gettext_lazy("Company"),
    "channel": gettext_lazy("Came by"),
    "birthday": gettext_lazy("Birthday"),
    "locale": gettext_lazy("Language"),
    "time_zone": gettext_lazy("Time zone"),
}
NONE: Final = "–"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A fact of both, and what it will be. `is_sum`: the last is the first two together."""

    label: str | Promise
    into: str
    other: str
    after: str
    is_sum: bool = False


@dataclass(frozen=True, kw_only=True)
class OnHold:
    """Points that somebody has put aside: they have to be handed over or released before."""

    customer: Customer
    holds: Sequence[HoldRow]


@dataclass(frozen=True, kw_only=True)
class Preview:
    pair: Pair
    people: Sequence[Row]
    facts: Sequence[Row]
    on_hold: Sequence[OnHold]
    obstacle: str  # what forbids it, as a sentence; "" when nothing does
    ending: Sequence[Referral]  # recommendations that end, with what they brought

    @property
    def may_merge(self) -> bool:
        return not (self.obstacle or self.on_hold)


def preview(*, into: int, other: int, business: Business, at: datetime) -> Preview:
    """Raises Customer.DoesNotExist."""
    rows = Customer.objects.select_related("company").in_bulk([into, other])
    if into not in rows or other not in rows:
        raise Customer.DoesNotExist
    pair = Pair(into=rows[into], other=rows[other])
    both = [pair.into, pair.other]
    held = [OnHold(customer=who, holds=list(histories.holds(who.pk, at=at))) for who in both]
    return Preview(
        pair=pair,
        people=[*_fields(pair), *_lists(pair), *_words(pair)],
        facts=[*_sums(pair, business), *(_of_loyalty(pair, at) if business.has_loyalty else [])],
        on_hold=[hold for hold in held if hold.holds],
        obstacle=_obstacle(pair),
        ending=_ending(pair) if business.has_loyalty else [],
    )


def _obstacle(pair: Pair) -> str:
    try:
        if pair.into.pk == pair.other.pk:
            raise joining.Themselves
        joining.refuse(pair)
    except joining.CannotMerge as problem:
        return str(problem)
    return ""


def _row(label: str | Promise, into: str, other: str, after: str) -> Row:
    return Row(label=label, into=into or NONE, other=other or NONE, after=after or NONE)


def _fields(pair: Pair) -> list[Row]:
    """What has one value: the other's only where there was none."""
    told = joining.filled(pair)
    rows = [
        _row(label, _text(pair.into, name), _text(pair.other, name), str(told.get(name) or _text(pair.into, name)))
        for name, label in FIELDS.items()
    ]
    after = Place(**{name: told.get(name, getattr(pair.into, name)) for name in Place._fields})
    rows.insert(
        2, _row(_("Address"), *(", ".join(place.lines) for place in (pair.into.place, pair.other.place, after)))
    )
    return [row for row in [*rows, *_custom(pair)] if (row.into, row.other) != (NONE, NONE)]


def _text(customer: Customer, name: str) -> str:
    return str(getattr(customer, name) or "")


def _custom(pair: Pair) -> list[Row]:
    into, other = dict(custom.told(pair.into)), dict(custom.told(pair.other))
    return [
        _row(label, into.get(label, ""), other.get(label, ""), into.get(label) or other.get(label, ""))
        for label in {**into, **other}
    ]


def _lists(pair: Pair) -> list[Row]:
    """What somebody has several of: all of both."""
    into, other = (one.profile(who.pk) for who in _both(pair))
    rows = [
        _union(_("E-mails"), into.emails, other.emails),
        _union(_("Phones"), into.phones, other.phones),
        _union(_("Ids elsewhere"), _ids(into), _ids(other)),
        _union(_("Tags"), _tags(pair.into), _tags(pair.other)),
        _union(_("Ways to sign in"), _ways(pair.into), _ways(pair.other)),
    ]
    return [row for row in rows if row.after != NONE]


def _union(label: str, into: list[str], other: list[str]) -> Row:
    return _row(label, ", ".join(into), ", ".join(other), ", ".join(dict.fromkeys([*into, *other])))


def _ids(profile: one.Profile) -> list[str]:
    return [f"{known.source} {known.external_id}" for known in profile.identities]


def _tags(customer: Customer) -> list[str]:
    rows = Tagging.objects.filter(customer=customer, removed_at=None).order_by("segment__name")
    return list(rows.values_list("segment__name", flat=True))


def _ways(customer: Customer) -> list[str]:
    return list(PortalAccess.objects.filter(customer=customer).order_by("pk").values_list("address", flat=True))


def _words(pair: Pair) -> list[Row]:
    """What was said about messages. A no beats a yes, and a yes fills a silence."""
    said = [{channel: known.is_given for channel, known in consents.newest(who.pk).items()} for who in _both(pair)]
    words = {True: _("yes"), False: _("no")}
    rows = []
    for channel, label in Consent.Channel.choices:
        told = [words[own[channel]] if channel in own else "" for own in said]
        if any(told):
            after = words[False] if words[False] in told else words[True]
            rows.append(_row(_("Offers by %(channel)s") % {"channel": label}, told[0], told[1], after))
    return rows


def _both(pair: Pair) -> list[Customer]:
    return [pair.into, pair.other]


def _sums(pair: Pair, business: Business) -> list[Row]:
    """Counts and amounts of both together."""
    told = [
        Order.objects.filter(customer=who).aggregate(count=Count("pk"), net=Sum("net_cents")) for who in _both(pair)
    ]
    deals = [Contract.objects.filter(customer=who).count() for who in _both(pair)]
    amounts = [row["net"] or 0 for row in told]
    into, other, after = (money.text(cents, business.currency) for cents in (*amounts, sum(amounts)))
    return [
        _sum(_("Orders"), *(row["count"] for row in told)),
        Row(label=_("Amount of these orders"), into=into, other=other, after=after, is_sum=True),
        *([_sum(_("Contracts"), *deals)] if any(deals) else []),
    ]


def _sum(label: str, into: int, other: int) -> Row:
    told = (formats.number_format(number, 0, force_grouping=True) for number in (into, other, into + other))
    return Row(**dict(zip(("into", "other", "after"), told, strict=True)), label=label, is_sum=True)


def _of_loyalty(pair: Pair, at: datetime) -> list[Row]:
    into, other = (points.standing(customer_id=who.pk, at=at) for who in _both(pair))
    stands = tiers.tiers_at([pair.into.pk, pair.other.pk], at)
    own, theirs = (stands.get(who.pk) for who in _both(pair))
    rows = [
        _sum(naming.said(_("%(Points)s to spend")), into.balance, other.balance),
        _sum(naming.said(_("%(Points)s that wait")), into.pending, other.pending),
    ]
    if own or theirs:
        best = max(filter(None, (own, theirs)), key=lambda tier: tier.rank)
        rows.append(_row(_("Tier"), str(own or ""), str(theirs or ""), _("%(tier)s at least") % {"tier": best}))
    return rows


def _ending(pair: Pair) -> list[Referral]:
    """Recommendations that can no longer stand: of herself, and the second one of the same person."""
    ids = [pair.into.pk, pair.other.pk]
    rows = Referral.objects.select_related("advocate", "friend").filter(friend__in=ids).order_by("pk")
    found = list(rows)
    twice = len(found) > 1
    return [row for row in found if row.advocate_id in ids or (twice and row.friend_id == pair.other.pk)]
