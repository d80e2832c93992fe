"""Segments as the last night counted them: size, value, risk, and who moved since the night before."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from analytics import scores
from analytics.models import Score
from core.models import Run
from crm import labels

HEAT_SHADES: Final = 10
NOTHING: Final[Mapping[str, int]] = {"customers": 0, "clv_cents": 0, "value_cents": 0, "historic_cents": 0, "active": 0}


@dataclass(frozen=True, kw_only=True)
class SegmentState:
    """One segment in a run, with its share of all customers and of all predicted value."""

    name: scores.Name
    customers: int
    clv_cents: int
    share: float
    value_share: float
    risk: dict[str, int]  # customers by band

    @property
    def definition(self) -> str:
        return str(labels.DEFINITIONS.get(self.name, ""))

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
    return [_state(run, name) for name in labels.SEGMENTS]


def state(run: Run, name: scores.Name) -> SegmentState:
    return _state(run, name)


def _state(run: Run, name: scores.Name) -> SegmentState:
    own = run.stats["segments"].get(str(name.value), NOTHING)
    whole = run.stats["all"]
    cells = run.stats["cells"]
    return SegmentState(
        name=name,
        customers=own["customers"],
        clv_cents=own["clv_cents"],
        share=own["customers"] / whole["customers"] if whole["customers"] else 0.0,
        value_share=own["clv_cents"] / whole["clv_cents"] if whole["clv_cents"] else 0.0,
        risk={band: cells.get(f"{name.value}/{code}", NOTHING)["customers"] for code, band in labels.BANDS.items()},
    )


@dataclass(frozen=True, kw_only=True)
class Move:
    """Customers who went from one segment to another; `shade` is 0–10 for the heat table."""

    source: scores.Name
    target: scores.Name
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


def best(run: Run, name: scores.Name) -> QuerySet[Score]:
    """The segment's customers, the most valuable first."""
    chosen = Score.objects.filter(run=run, segment=name.value, clv_cents__isnull=False)
    return chosen.order_by("-clv_cents", "-customer_id")


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
