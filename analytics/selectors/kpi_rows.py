"""The rows behind a key figure: customers, orders, channels or cohorts, in pages that cost the same everywhere."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from analytics import curves
from analytics.models import Score
from analytics.selectors import acquisition, at_risk, kpis
from analytics.selectors.cohorts import period_name
from analytics.services.period_counts import Window
from core import formulas, money, paging
from customers.models import Customer, Order
from customers.selectors import identities

PAGE_ROWS: Final = 25
BATCH: Final = 2000
PEOPLE_COLUMNS: Final = (
    *("source", "external_id", "first_order_at", "last_order_at", "order_days", "margin_to_date", "clv_12m"),
    *("clv_12m_contracts", "churn_risk"),
)
ORDER_COLUMNS: Final = ("source", "external_id", "placed_at", "net", "value", "margin")
CHANNEL_COLUMNS: Final = ("channel", "acquisition_cost", "new_customers", "cost_per_customer")
COHORT_COLUMNS: Final = (
    *("first_order_month", "customers", "cost_per_customer", "margin_per_customer_12m", "ltv_to_cac", "payback_month"),
)

DAY: Final = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Listing:
    rows: Sequence[Any]
    previous: str = ""
    next: str = ""


@dataclass(frozen=True, kw_only=True)
class CohortRow:
    label: str
    customers: int
    cost: float | None
    earned: float | None
    payback: int | None

    @property
    def ratio(self) -> float | None:
        return self.earned / self.cost if self.cost and self.earned is not None else None


# What the rows of each figure are.
KIND: Final = {
    **dict.fromkeys(("retention", "churn", "repeat", "frequency", "lifespan", "risk-share"), "people"),
    "order-value": "orders",
    "cac": "channels",
    **dict.fromkeys(("ltv-cac", "payback"), "cohorts"),
}


def listing(slug: str, facts: kpis.Facts, *, cursor: str) -> Listing:
    kind = KIND[slug]
    if kind == "channels":
        return Listing(rows=channels(facts))
    if kind == "cohorts":
        return Listing(rows=cohorts(facts))
    phase = _people(slug, facts) if kind == "people" else _orders(facts)
    page = paging.page([phase], cursor=cursor, size=PAGE_ROWS)
    found = [item for _number, item in page.rows]
    rows = _named(found) if kind == "people" else found
    return Listing(rows=rows, previous=page.previous, next=page.next)


def _named(scores: Sequence[Score]) -> list[tuple[Customer, Score]]:
    people = Customer.objects.select_related("company").in_bulk([score.customer_id for score in scores])
    return [(people[score.customer_id], score) for score in scores if score.customer_id in people]


def _people(slug: str, facts: kpis.Facts) -> paging.Phase:
    """The customers whom the figure counts, the latest order first; at risk, the most valuable first."""
    scores = Score.objects.filter(run=facts.run, order_days__gt=0)
    if slug == "risk-share":
        risky = scores.filter(churn_band__in=at_risk.BANDS, clv_cents__gt=F("contract_cents"))
        return paging.Phase(rows=risky, key="clv_cents", pk="customer_id", descending=True)
    return paging.Phase(rows=_chosen(slug, scores, facts), key="last_at", pk="customer_id", descending=True)


def _chosen(slug: str, scores: QuerySet[Score], facts: kpis.Facts) -> QuerySet[Score]:
    if slug == "repeat":
        return scores.filter(last_at__gte=_midnight(facts.first, facts), order_days__gt=1)
    if slug == "frequency":
        return scores.filter(last_at__gte=_midnight(facts.first, facts))
    ends = _window(facts).bounds
    active_from = _midnight(ends["until_active"] + DAY, facts)
    began = ends["before_active"] + DAY
    started = scores.filter(Exists(_standing(facts).filter(placed_on__range=(began, ends["before"]))))
    if slug == "retention":
        return started.filter(last_at__gte=active_from)
    oldest = _midnight(began, facts)  # bounds the walk through the index
    return started.filter(last_at__gte=oldest, last_at__lt=active_from)


def _window(facts: kpis.Facts) -> Window:
    counts = facts.compared.get(facts.run.as_of)
    active_days = counts.active_days if counts else int(facts.run.settings["churn_horizon_days"])
    return Window(days=facts.days, until=facts.run.as_of, active_days=active_days)


def _standing(facts: kpis.Facts) -> QuerySet[Order]:
    kept = Q(fully_refunded_on__isnull=True) | Q(fully_refunded_on__gt=facts.run.as_of)
    return Order.objects.filter(kept, customer_id=OuterRef("customer_id"), status=Order.Status.PAID)


def _midnight(day: date, facts: kpis.Facts) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(facts.run.settings["time_zone"]))


def _orders(facts: kpis.Facts) -> paging.Phase:
    """The paid orders of the period, the latest first."""
    orders = Order.objects.filter(status=Order.Status.PAID, placed_on__range=(facts.first, facts.run.as_of))
    return paging.Phase(rows=orders.select_related("customer"), key="placed_on", pk="id", descending=True)


def channels(facts: kpis.Facts) -> list[tuple[str, acquisition.Spend]]:
    first = facts.last_month - facts.months + 1
    return list(acquisition.by_channel(first=first, last=facts.last_month).items())


def cohorts(facts: kpis.Facts) -> list[CohortRow]:
    """The months that the figure is taken over, the latest first."""
    last = facts.last_month - kpis.HORIZON
    wanted = range(last, last - facts.months, -1)
    return [_cohort(facts.lines[month], facts.costs) for month in wanted if month in facts.lines]


def _cohort(line: curves.Line, costs: Mapping[int, int]) -> CohortRow:
    cost = acquisition.spend([line], costs).per_customer
    day = curves.first_day(line.first_month)
    return CohortRow(
        label=period_name(f"{day.year}-{day.month:02}"),
        customers=line.size,
        cost=cost,
        earned=curves.pooled([line], measure="margin", month=kpis.HORIZON).value,
        payback=None if cost is None else curves.payback([line], cost=cost),
    )


def export(slug: str, facts: kpis.Facts, *, currency: str) -> Iterator[Sequence[Any]]:
    """A header and every row, as CSV."""
    kind = KIND[slug]
    if kind == "people":
        yield from _export_people(slug, facts, currency)
    elif kind == "orders":
        yield from _export_orders(facts, currency)
    elif kind == "channels":
        yield CHANNEL_COLUMNS
        for name, spend in channels(facts):
            amounts = _money(spend.cents if spend.months else None, currency), spend.customers
            yield formulas.plain(name), *amounts, _money(spend.per_customer, currency)
    else:
        yield COHORT_COLUMNS
        for row in cohorts(facts):
            ratio = "" if row.ratio is None else f"{row.ratio:.4f}"
            yield row.label, row.customers, _money(row.cost, currency), _money(row.earned, currency), ratio, row.payback


def _export_people(slug: str, facts: kpis.Facts, currency: str) -> Iterator[Sequence[Any]]:
    phase, zone = _people(slug, facts), ZoneInfo(facts.run.settings["time_zone"])
    yield PEOPLE_COLUMNS
    for batch in _batches(phase.rows.order_by(f"-{phase.key}", "-customer_id")):
        known = identities.first([score.customer_id for score in batch])
        for score in batch:
            who = known.get(score.customer_id)
            names = (formulas.plain(who.source), formulas.plain(who.external_id)) if who else ("", "")
            times = [at.astimezone(zone).isoformat(timespec="seconds") for at in (score.first_at, score.last_at)]
            risk = "" if score.churn_risk is None else f"{score.churn_risk:.6f}"
            amounts = [
                _money(cents, currency) for cents in (score.historic_cents, score.clv_cents, score.contract_cents)
            ]
            yield *names, *times, score.order_days, *amounts, risk


def _export_orders(facts: kpis.Facts, currency: str) -> Iterator[Sequence[Any]]:
    zone = ZoneInfo(facts.run.settings["time_zone"])
    yield ORDER_COLUMNS
    for batch in _batches(_orders(facts).rows.select_related(None).order_by("-placed_on", "-id")):
        for order in batch:
            amounts = [_money(cents, currency) for cents in (order.net_cents, order.value_cents, order.margin_cents)]
            at = order.placed_at.astimezone(zone).isoformat(timespec="seconds")
            yield formulas.plain(order.source), formulas.plain(order.external_id), at, *amounts


def _batches(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for row in rows.iterator(chunk_size=BATCH):
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _money(amount: float | None, currency: str) -> str:
    return "" if amount is None else f"{money.major(amount, currency):.2f}"
