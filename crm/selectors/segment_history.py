"""Segments over time: one point for each business date that has a published night, and who moved between two nights."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet
from django.db.models.fields.json import KeyTransform

from analytics import schemes
from analytics.clv import bands
from analytics.models import Score
from analytics.schemes import Scheme
from analytics.selectors import at_risk
from analytics.services import partitions
from core.models import Run
from crm import groups
from crm.groups import Group
from crm.selectors import people
from crm.selectors.segments import Move
from customers.selectors import tags

PERIODS: Final = (30, 90, 365, 0)  # days; 0 is everything
FIRST_PERIOD: Final = 90
PEOPLE_SHOWN: Final = 10


@dataclass(frozen=True, kw_only=True)
class Point:
    """A segment on a night."""

    as_of: date
    customers: int
    clv_cents: int
    at_risk: int  # customers whose risk is medium or high for their own pace
    at_risk_cents: int

    @property
    def at_risk_share(self) -> float | None:
        return self.at_risk / self.customers if self.customers else None


@dataclass(frozen=True, kw_only=True)
class History:
    """Points in the order of their dates."""

    points: list[Point]

    @property
    def gaps(self) -> list[tuple[date, date]]:
        """First and last of the business dates without a night, where nights follow each other daily before and after.

        The nights of month ends that a young history begins with are no gaps.
        """
        days = [point.as_of for point in self.points]
        one = timedelta(days=1)
        return [
            (earlier + one, later - one)
            for before, earlier, later in zip(days, days[1:], days[2:], strict=False)
            if earlier - before == one < later - earlier
        ]

    @property
    def change(self) -> int | None:
        """Customers now less customers at the first point; None with fewer than two."""
        return self.points[-1].customers - self.points[0].customers if len(self.points) > 1 else None


def of_segment(group: Group, *, until: date, days: int) -> History:
    """The segment on each night of the `days` days that end with `until` (0: ever), the newest revision of a date."""
    code, totals = str(group.value), _totals(group.scheme)
    own = KeyTransform(code, KeyTransform("segments", totals))
    cells = [KeyTransform(f"{code}/{band}", KeyTransform("cells", totals)) for band in (bands.MEDIUM, bands.HIGH)]
    nights = _nights(until=until, days=days)
    if group.scheme is not schemes.RFM:  # nights from before the scheme say nothing, not that nobody was there
        nights = nights.filter(stats__schemes__has_key=group.scheme.slug)
    found = nights.annotate(own=own, medium=cells[0], high=cells[1])
    return History(points=[_point(*row) for row in found.values_list("as_of", "own", "medium", "high")])


def _totals(scheme: Scheme) -> Any:
    return "stats" if scheme is schemes.RFM else KeyTransform(scheme.slug, KeyTransform("schemes", "stats"))


def of_all(scheme: Scheme, *, until: date, days: int) -> list[tuple[date, dict[str, int]]]:
    """Customers by segment (slug) on each night."""
    path = "stats__segments" if scheme is schemes.RFM else f"stats__schemes__{scheme.slug}__segments"
    known = groups.of(scheme)
    return [
        (day, {group.slug: own.get(str(group.value), {}).get("customers", 0) for group in known})
        for day, own in _nights(until=until, days=days).values_list("as_of", path)
        if own is not None
    ]


def _nights(*, until: date, days: int) -> QuerySet[Run]:
    nights = Run.objects.filter(published_at__isnull=False, as_of__lte=until, stats__has_key="segments")
    if days:
        nights = nights.filter(as_of__gt=until - timedelta(days=days))
    return nights.order_by("as_of", "-revision").distinct("as_of")


def _point(day: date, own: dict[str, int] | None, *risky: dict[str, int] | None) -> Point:
    cells = [cell for cell in risky if cell]
    return Point(
        as_of=day,
        customers=own["customers"] if own else 0,
        clv_cents=own["clv_cents"] if own else 0,
        at_risk=sum(cell["customers"] for cell in cells),
        at_risk_cents=at_risk.of_cells(cells),
    )


@dataclass(frozen=True, kw_only=True)
class Flow:
    """Who came to a segment, or left it: counted by the segment on the other side, and the most valuable by name."""

    moves: list[Move]
    people: list[people.Row]

    @property
    def customers(self) -> int:
        return sum(move.customers for move in self.moves)


@dataclass(frozen=True, kw_only=True)
class Moves:
    """Between two nights, judged by where each customer was on each: who came and went again is in neither."""

    earlier: Run
    later: Run
    came: Flow
    went: Flow


# Both sides with what each customer is worth now; another side of 0 is nobody's: not scored then, or nothing left.
MOVED: Final = """
SELECT coalesce(other.code, 0), count(*),
    (array_agg(own.customer_id ORDER BY own.clv_cents DESC NULLS LAST, own.customer_id))[1:%(shown)s]
FROM ({own}) own LEFT JOIN ({other}) other USING (customer_id)
WHERE own.code = %(code)s AND other.code IS DISTINCT FROM %(code)s
GROUP BY 1 ORDER BY 2 DESC, 1
"""


# Where a customer was on a night: by a column of the scores, or by a tag that she had at the end of the day.
BY_COLUMN: Final = "SELECT customer_id, {column} AS code, clv_cents FROM {scores}"
BY_TAG: Final = """
SELECT s.customer_id, t.segment_id AS code, s.clv_cents FROM {scores} s
JOIN customers_tagging t ON t.customer_id = s.customer_id AND t.segment_id = %(code)s
    AND t.added_at < timestamptz '{end}' AND (t.removed_at IS NULL OR t.removed_at >= timestamptz '{end}')
"""


def moves(group: Group, *, run: Run, days: int) -> Moves | None:
    """Who came and went between the night about `days` days before `run` (0: the oldest kept) and `run`.

    None when no earlier night's scores are kept.
    """
    earlier = _night_before(run, days=days)
    if earlier is None:
        return None
    return Moves(
        earlier=earlier,
        later=run,
        came=_flow(group, own=run, other=earlier, shown_in=run),
        went=_flow(group, own=earlier, other=run, shown_in=run),
    )


def _night_before(run: Run, *, days: int) -> Run | None:
    """The newest night at least `days` days before the run whose scores are kept; else the oldest of all kept."""
    kept = Run.objects.filter(published_at__isnull=False, as_of__lt=run.as_of, pk__in=partitions.kept())
    kept = kept.defer("model", "stats")
    far_enough = kept.filter(as_of__lte=run.as_of - timedelta(days=days)) if days else kept.none()
    return far_enough.order_by("-as_of", "-revision").first() or kept.order_by("as_of", "-revision").first()


def _flow(group: Group, *, own: Run, other: Run, shown_in: Run) -> Flow:
    query = MOVED.format(own=_places(group.scheme, own), other=_places(group.scheme, other))
    with connection.cursor() as cursor:
        cursor.execute(query, {"code": group.value, "shown": PEOPLE_SHOWN})
        rows = cursor.fetchall()
    is_arrival = own.pk == shown_in.pk
    known = groups.by_code(group.scheme)
    sides = [(known.get(code), customers) for code, customers, _ in rows]
    found = [
        Move(source=side, target=group, customers=n) if is_arrival else Move(source=group, target=side, customers=n)
        for side, n in sides
    ]
    return Flow(moves=found, people=_most_valuable((pk for _, _, ids in rows for pk in ids), run=shown_in))


def _places(scheme: Scheme, run: Run) -> str:
    table = partitions.table_of(run.pk)
    if scheme is schemes.NEEDS:
        return BY_TAG.format(scores=table, end=tags.end_of(run.as_of, zone=run.settings["time_zone"]).isoformat())
    return BY_COLUMN.format(column=scheme.column, scores=table)


def _most_valuable(ids: Iterable[int], *, run: Run) -> list[people.Row]:
    chosen: QuerySet[Score] = Score.objects.filter(run=run, customer_id__in=list(ids))
    ordered = chosen.order_by("-clv_cents", "-customer_id").filter(clv_cents__isnull=False)
    return people.top(ordered, run=run, limit=PEOPLE_SHOWN)


def steps(points: Sequence[Point]) -> list[tuple[Point, int | None]]:
    """Each point with the change of customers since the one before, the newest first: the table under the chart."""
    later_ones: list[int | None] = [later.customers - earlier.customers for earlier, later in pairwise(points)]
    changes = [None, *later_ones][: len(points)]
    return list(zip(points, changes, strict=True))[::-1]
