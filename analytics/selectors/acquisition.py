"""What it cost to win customers, beside how many came: by the month and the channel of their first order."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from analytics import curves
from analytics.models import Cohort
from customers.models import AcquisitionCost

NO_MONTHS: Final = range(0)


@dataclass(frozen=True, kw_only=True)
class Spend:
    """Costs of the months that have any, minor units, and the customers won in them."""

    cents: int
    customers: int
    months: int  # with a cost entered

    @property
    def per_customer(self) -> float | None:
        """None where no cost is entered, or nobody came."""
        return self.cents / self.customers if self.months and self.customers else None


def by_month(*, first: int, last: int, channel: str | None = None) -> dict[int, int]:
    """Costs of the months from `first` to `last` by month; of one channel, or of all together."""
    found = AcquisitionCost.objects.filter(month__gte=curves.first_day(first), month__lte=curves.first_day(last))
    if channel is not None:
        found = found.filter(channel=channel)
    costs: dict[int, int] = {}
    for day, cents in found.values_list("month", "amount_cents"):
        costs[curves.number(day)] = costs.get(curves.number(day), 0) + cents
    return costs


def spend(lines: Iterable[curves.Line], costs: dict[int, int]) -> Spend:
    """What the cohorts cost. Months without an entry are left out, cost and customers."""
    known = [one for one in lines if one.first_month in costs]
    return Spend(
        cents=sum(costs[month] for month in {one.first_month for one in known}),
        customers=sum(one.size for one in known),
        months=len({one.first_month for one in known}),
    )


def by_channel(*, first: int, last: int) -> dict[str, Spend]:
    """Costs and customers of each channel that has either, the dearest first."""
    cents: dict[str, dict[int, int]] = {}
    costs = AcquisitionCost.objects.filter(month__gte=curves.first_day(first), month__lte=curves.first_day(last))
    for channel, day, amount in costs.values_list("channel", "month", "amount_cents"):
        cents.setdefault(channel, {})[curves.number(day)] = amount
    came: dict[str, dict[int, int]] = {}
    sizes = Cohort.objects.filter(split=Cohort.Split.CHANNEL, month=0, first_month__gte=first, first_month__lte=last)
    for channel, month, customers in sizes.values_list("key", "first_month", "customers"):
        came.setdefault(channel, {})[month] = customers
    found = {channel: _of_channel(cents.get(channel, {}), came.get(channel, {})) for channel in cents | came}
    return dict(sorted(found.items(), key=lambda item: (-item[1].cents, -item[1].customers, item[0])))


def _of_channel(cents: dict[int, int], came: dict[int, int]) -> Spend:
    customers = sum(came.get(month, 0) for month in cents) if cents else sum(came.values())
    return Spend(cents=sum(cents.values()), customers=customers, months=len(cents))
