"""Points and tiers as entries of a customer's timeline."""

from typing import Any, Final

from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import formats
from django.utils.translation import gettext as _

from core.retelling import retold
from crm.selectors.timeline_event import Event
from loyalty.models import Move, Posting
from loyalty.selectors import programme

Kind = Posting.Kind
# What a hold did, and that points became active, is in the ledger.
SHOWN: Final = (Kind.EARN, Kind.REDEEM, Kind.COMMIT, Kind.EXPIRE, Kind.REVERSE, Kind.GIVE_BACK, Kind.ADJUST, Kind.MERGE)
# The account, and those that were merged into it, also by way of others.
FAMILY: Final = """
WITH RECURSIVE line AS (
    SELECT id FROM loyalty_account WHERE customer_id = %s
    UNION ALL SELECT m.id FROM loyalty_account m JOIN line ON m.merged_into_id = line.id
) SELECT id FROM line"""


def postings(customer_id: int) -> QuerySet[Posting]:
    """Of the customer's account, and of those that were merged into it, whose history is told here, too.

    So a merge is one entry, of the points that came, and none where there were no points.
    """
    own = RawSQL(FAMILY, [customer_id])  # noqa: S611 - the number is a parameter
    went = Q(kind=Kind.MERGE) & (Q(asked__lt=0) | Q(points=0, pending_points=0))
    return Posting.objects.filter(account__in=own, kind__in=SHOWN).exclude(went)


def moves(customer_id: int) -> QuerySet[Move]:
    return Move.objects.filter(customer=customer_id)


def of_postings(ids: list[int]) -> dict[int, Event]:
    """Two queries."""
    row, found = programme.current(), Posting.objects.filter(pk__in=ids).select_related("adjustment", "order", "by")
    return {one.pk: _posting(one, row) for one in found}


def _posting(one: Posting, row: Any) -> Event:
    # What was held had left the balance before it was spent.
    amount = one.points or one.pending_points or one.held_points
    number = formats.number_format(abs(amount), 0, force_grouping=True)
    sign = "" if one.kind == Kind.MERGE or not amount else "+" if amount > 0 else "\N{MINUS SIGN}"
    return Event(
        kind="points",
        at=one.at,
        date_only=False,
        title=f"{sign}{number} {row.called(abs(amount))}",
        text=" \N{MIDDLE DOT} ".join(part for part in _parts(one) if part),
        url=one.order.get_absolute_url() if one.order else "",
    )


def _parts(one: Posting) -> list[str]:
    adjustment = getattr(one, "adjustment", None)
    return [
        _merged(one) if one.kind == Kind.MERGE else one.get_kind_display(),
        _("Order %(number)s") % {"number": one.order.external_id} if one.order else "",
        adjustment.reason if adjustment else retold(one.reason),
        str(one.by or ""),
    ]


def _merged(one: Posting) -> str:
    """The number is another customer's; what it earned and spent stands in the same timeline."""
    words = _("Owed under number %(number)s") if one.points < 0 else _("Came over from number %(number)s")
    return words % {"number": one.asked}


def of_moves(ids: list[int]) -> dict[int, Event]:
    """One query."""
    return {one.pk: _move(one) for one in Move.objects.filter(pk__in=ids).select_related("before", "after", "by")}


def _move(one: Move) -> Event:
    before = _("before: %(tier)s") % {"tier": one.before} if one.before else ""
    parts = [one.get_reason_display(), before, one.note, str(one.by or "")]
    return Event(
        kind="tier",
        at=one.at,
        date_only=False,
        title=_("Tier %(tier)s") % {"tier": one.after} if one.after else _("No tier any more"),
        text=" \N{MIDDLE DOT} ".join(part for part in parts if part),
    )
