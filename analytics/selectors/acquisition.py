"""What it cost to win customers, beside how many came: by the month and the channel of their first order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from analytics import curves
from analytics.models import Cohort
from customers.models import AcquisitionCost


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


def costs(*, first: int, last: int) -> dict[str, dict[int, int]]:
    """Costs of the months from `first` to `last`, by channel and month."""
    found: dict[str, dict[int, int]] = {}
    rows = AcquisitionCost.objects.filter(month__gte=curves.first_day(first), month__lte=curves.first_day(last))
    for channel, day, cents in rows.values_list("channel", "month", "amount_cents"):
        found.setdefault(channel, {})[curves.number(day)] = cents
    return found


def by_month(*, first: int, last: int, channel: str | None = None) -> dict[int, int]:
    """Costs by month: of one channel, or of all together."""
    by_channel = costs(first=first, last=last)
    if channel is not None:
        return by_channel.get(channel, {})
    months = sorted({month for own in by_channel.values() for month in own})
    return {month: sum(own.get(month, 0) for own in by_channel.values()) for month in months}


def spend(lines: Iterable[curves.Line], cents_of: Mapping[int, int]) -> Spend:
    """What the cohorts cost. Months without an entry are left out, cost and customers."""
    known = [one for one in lines if one.first_month in cents_of]
    return Spend(
        cents=sum(cents_of[month] for month in {one.first_month for one in known}),
        customers=sum(one.size for one in known),
        months=len({one.first_month for one in known}),
    )


def by_channel(*, first: int, last: int) -> dict[str, Spend]:
    """Costs and customers of each channel that has either, the highest cost first."""
    cents = costs(first=first, last=last)
    came: dict[str, dict[int, int]] = {}
    sizes = Cohort.objects.filter(split=Cohort.Split.CHANNEL, month=0, first_month__gte=first, first_month__lte=last)
    for channel, month, customers in sizes.values_list("key", "first_month", "customers"):
        came.setdefault(channel, {})[month] = customers
    found = {channel: _of_channel(cents.get(channel, {}), came.get(channel, {})) for channel in cents | came}
    return dict(sorted(found.items(), key=lambda item: (-item[1].cents, -item[1].customers, item[0])))


def _of_channel(cents: dict[int, int], came: dict[int, int]) -> Spend:
    customers = sum(came.get(month, 0) for month in cents) if cents else sum(came.values())
    return Spend(cents=sum(cents.values()), customers=customers, months=len(cents))
