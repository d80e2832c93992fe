"""Segments as the last night counted them: size, value, risk, and who moved since the night before.

RFM's are named by analytics.scores.Name, those of any scheme by crm.groups.Group: pages read the same of both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from analytics import schemes, scores
from analytics.models import Score
from analytics.schemes import Scheme
from analytics.selectors import at_risk
from core import money
from core.models import Business, Run
from crm import groups, labels
from crm.groups import Group
from customers.selectors import tags

HEAT_SHADES: Final = 10
NOTHING: Final[Mapping[str, int]] = {"customers": 0, "clv_cents": 0, "value_cents": 0, "historic_cents": 0, "active": 0}


@dataclass(frozen=True, kw_only=True)
class SegmentState:
    """One segment in a run, with its share of all customers and of all predicted value."""

    name: scores.Name | Group
    customers: int
    clv_cents: int
    historic_cents: int
    share: float
    value_share: float
    risk: dict[str, int]  # customers by band
    at_risk_cents: int = 0  # as analytics.selectors.at_risk

    @property
    def definition(self) -> str:
        if isinstance(self.name, Group):
            return self.name.definition
        return str(labels.DEFINITIONS.get(self.name, ""))

    @property
    def hue(self) -> str:
        return self.name.hue if isinstance(self.name, Group) else self.name.slug

    @property
    def url(self) -> str:
        if isinstance(self.name, Group):
            return self.name.url
        return reverse("desk:segment_detail", args=[self.name.slug])

    @property
    def list_url(self) -> str:
        if isinstance(self.name, Group):
            return self.name.list_url
        return f"{reverse('desk:customer_list')}?segment={self.name.slug}"

    @property
    def average_cents(self) -> int | None:
        return round(self.clv_cents / self.customers) if self.customers else None

    @property
    def mix(self) -> list[tuple[str, int]]:
        """What the risk bar draws: (class, customers), the low band first."""
        return [(f"fill-{band}", self.risk[band]) for band in labels.BANDS.values()]

    @property
    def mix_label(self) -> str:
        return _("%(low)s low risk, %(medium)s medium risk, %(high)s high risk") % self.risk

    @property
    def words(self) -> str:
        """`12 customers of Champions`, for a link that shows the number alone."""
        text = ngettext("%(number)s customer of %(segment)s", "%(number)s customers of %(segment)s", self.customers)
        return text % {"number": self.customers, "segment": labels.name_of(self.name)}

    @property
    def high_share(self) -> float:
        return self.risk["high"] / self.customers if self.customers else 0.0


def states(run: Run) -> list[SegmentState]:
    """Every segment in the order of its name's rank, with zeros where nobody is."""
    return [_state(run, name, run.stats) for name in labels.SEGMENTS]


def states_of(run: Run, scheme: Scheme) -> list[SegmentState]:
    """Every segment of a scheme in its order; of the named ones the most valuable first."""
    found = [state(run, group) for group in groups.of(scheme)]
    return found if scheme.kinds else sorted(found, key=lambda one: -one.clv_cents)


def state(run: Run, group: Group) -> SegmentState:
    return _state(run, group, totals_of(run, group.scheme))


@dataclass(frozen=True, kw_only=True)
class Rest:
    """Who is in none of a scheme's segments, so that the table adds up: of whom every order came back, for one."""

    customers: int
    clv_cents: int
    share: float

    @property
    def average_cents(self) -> int:
        return round(self.clv_cents / self.customers)


def rest(run: Run, scheme: Scheme, found: Sequence[SegmentState]) -> Rest | None:
    """None where everybody is in a segment, and for tags, of which a customer may have several."""
    whole = run.stats["all"]
    customers = whole["customers"] - sum(one.customers for one in found)
    if scheme is schemes.NEEDS or customers <= 0:
        return None
    clv_cents = whole["clv_cents"] - sum(one.clv_cents for one in found)
    return Rest(customers=customers, clv_cents=clv_cents, share=customers / whole["customers"])


def rule(run: Run, scheme: Scheme, *, business: Business) -> str:
    """The night's figures that divide the scheme's segments, in words; empty where the definitions say it all."""
    found = schemes.Thresholds.from_dict(run.model.get("schemes", {}))
    if scheme is schemes.VALUE and found.tier_a is not None and found.tier_b is not None:
        unit = 10 ** money.exponent(business.currency)
        a, b = (money.text(round(cut * unit), business.currency, digits=0) for cut in (found.tier_a, found.tier_b))
        return _("A begins at %(a)s a customer, B at %(b)s.") % {"a": a, "b": b}
    if scheme is schemes.TENURE:
        values = {"gap": round(found.gap_days), "new": round(found.new_days), "long": round(found.long_days)}
        words = _(
            "The usual gap is %(gap)s days: newcomers began less than %(new)s days ago,"
            " long-standing customers %(long)s or more."
        )
        return words % values
    return ""


def totals_of(run: Run, scheme: Scheme) -> Mapping[str, Any]:
    """`segments` and `cells` of a scheme by code; empty in runs from before the scheme."""
    if scheme is schemes.RFM:
        return dict(run.stats)
    totals: Mapping[str, Any] = run.stats.get("schemes", {}).get(scheme.slug, {"segments": {}, "cells": {}})
    return totals


def _state(run: Run, name: scores.Name | Group, totals: Mapping[str, Any]) -> SegmentState:
    own = totals["segments"].get(str(name.value), NOTHING)
    whole = run.stats["all"]
    cells = totals["cells"]
    return SegmentState(
        name=name,
        customers=own["customers"],
        clv_cents=own["clv_cents"],
        historic_cents=own["historic_cents"],
        share=own["customers"] / whole["customers"] if whole["customers"] else 0.0,
        value_share=own["clv_cents"] / whole["clv_cents"] if whole["clv_cents"] else 0.0,
        at_risk_cents=at_risk.of_cells(cells.get(f"{name.value}/{code}") for code in at_risk.BANDS),
        risk={band: cells.get(f"{name.value}/{code}", NOTHING)["customers"] for code, band in labels.BANDS.items()},
    )


@dataclass(frozen=True, kw_only=True)
class Move:
    """Customers who went from one segment to another; `shade` is 0–10 for the heat table."""

    source: scores.Name | Group | None
    target: scores.Name | Group | None
    customers: int
    shade: int = 0

    @property
    def stays(self) -> bool:
        return self.source == self.target

    @property
    def words(self) -> str:
        """`3 from Champions to Loyal`, for a link that shows the number alone."""
        source = labels.name_of(self.source) or pgettext("where a new customer came from", "outside")
        values = {"number": self.customers, "source": source, "target": labels.name_of(self.target)}
        return _("%(number)s from %(source)s to %(target)s") % values


@dataclass(frozen=True, kw_only=True)
class Migration:
    """Moves between the night before and this one; rows are where customers were, columns where they are."""

    rows: list[tuple[scores.Name, list[Move]]] = field(default_factory=list)
    columns: list[scores.Name] = field(default_factory=list)
    moved: int = 0
    stayed: int = 0

    @property
    def has_before(self) -> bool:
        """Whether there was a night before to compare with."""
        return any(move.customers for source, row in self.rows for move in row if source is not scores.Name.NONE)


def migration(run: Run) -> Migration:
    """The moves of a run. Who was not scored before is in the row without a name."""
    counts = {
        (scores.Name(int(source)), scores.Name(int(target))): customers
        for key, customers in run.stats["moves"].items()
        for source, target in [key.split(">")]
        if target != "0"
    }
    most = max((n for (source, target), n in counts.items() if source != target), default=0)
    rows = [
        (source, [_move(source, target, counts.get((source, target), 0), most) for target in labels.SEGMENTS])
        for source in [*labels.SEGMENTS, scores.Name.NONE]
    ]
    return Migration(
        rows=rows,
        columns=list(labels.SEGMENTS),
        moved=sum(n for (source, target), n in counts.items() if source not in (target, scores.Name.NONE)),
        stayed=sum(n for (source, target), n in counts.items() if source == target),
    )


def _move(source: scores.Name, target: scores.Name, customers: int, most: int) -> Move:
    shade = -(-HEAT_SHADES * customers // most) if most and source != target else 0
    return Move(source=source, target=target, customers=customers, shade=shade)


def flows(run: Run, name: scores.Name) -> tuple[list[Move], list[Move]]:
    """Where the segment's customers came from in this night, and where its former ones went, largest first."""
    rows = migration(run).rows
    cells = [move for _, row in rows for move in row if not move.stays and move.customers]
    return (
        sorted((move for move in cells if move.target is name), key=lambda move: -move.customers),
        sorted((move for move in cells if move.source is name), key=lambda move: -move.customers),
    )


def members(run: Run, group: Group) -> QuerySet[Score]:
    """The segment's customers in a run; of a tag, who has it now."""
    found = Score.objects.filter(run=run)
    if group.scheme is schemes.NEEDS:
        return found.filter(customer__in=tags.tagged(group.value))
    return found.filter(**{group.scheme.column: group.value})


def best(run: Run, group: Group) -> QuerySet[Score]:
    """The segment's customers, the most valuable first."""
    return members(run, group).filter(clv_cents__isnull=False).order_by("-clv_cents", "-customer_id")


def facets(run: Run | None) -> dict[str, dict[str, Any]]:
    """How many customers each segment and band has, for the filters of the list."""
    if run is None:
        return {"segment": {}, "risk": {}}
    of_bands = run.stats["bands"]
    return {
        "segment": {
            name.slug: run.stats["segments"].get(str(name.value), NOTHING)["customers"] for name in labels.SEGMENTS
        },
        "risk": {band: of_bands.get(str(code), NOTHING)["customers"] for code, band in labels.BANDS.items()},
    }
