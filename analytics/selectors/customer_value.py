"""What the kept nights said of one customer. Scores are partitioned by night: few are read, each by its key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from analytics.models import Score
from analytics.services import partitions
from core.models import Run

MOST_NIGHTS: Final = 24


@dataclass(frozen=True, kw_only=True)
class Point:
    """A night's word on a customer; money in minor units, None where every order of hers had come back."""

    as_of: date
    clv_cents: int | None
    clv_low_cents: int | None
    clv_high_cents: int | None
    p_alive: float | None
    churn_risk: float | None


def course(pk: int) -> list[Point]:
    """At most MOST_NIGHTS nights, oldest first; nights from before her first order say nothing."""
    nights = chosen(_kept())
    columns = ("clv_cents", "clv_low_cents", "clv_high_cents", "p_alive", "churn_risk")
    found = Score.objects.filter(run_id__in=list(nights), customer_id=pk).values("run_id", *columns)
    points = [Point(as_of=nights[row.pop("run_id")], **row) for row in found]
    return sorted(points, key=lambda point: point.as_of)


def _kept() -> dict[int, date]:
    """The nights whose scores are kept, the newest revision of each date, oldest first."""
    runs = Run.objects.filter(published_at__isnull=False, pk__in=partitions.kept())
    return dict(runs.order_by("as_of", "-revision").distinct("as_of").values_list("pk", "as_of"))


def chosen(nights: Mapping[int, date], *, most: int = MOST_NIGHTS) -> dict[int, date]:
    """Those nearest to `most` days that lie evenly between the first night and the last."""
    if len(nights) <= most:
        return dict(nights)
    days = [day.toordinal() for day in nights.values()]
    step = (days[-1] - days[0]) / (most - 1)
    keys: Sequence[int] = list(nights)
    places = {_nearest(days, days[0] + number * step) for number in range(most)}
    return {keys[place]: nights[keys[place]] for place in sorted(places)}


def _nearest(days: Sequence[int], wanted: float) -> int:
    return min(range(len(days)), key=lambda place: abs(days[place] - wanted))
