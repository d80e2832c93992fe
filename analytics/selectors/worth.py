"""What customers brought in, cost and will be worth: one definition, for one customer and for many.

Total value = profit to date + predicted margin − expected costs.
Profit to date = margin − costs to serve and to keep − acquisition.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db.models import Count, F, FloatField, Q, QuerySet, Sum
from django.db.models.functions import Cast, Greatest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics.clv import profit
from analytics.models import Profit, Score
from core import money
from core.models import Run
from customers.models import Membership

HORIZONS: Final[Sequence[tuple[str, str, str, Promise]]] = (  # name, column of the scores, contracts' part of it, label
    ("12m", "clv_cents", "contract_cents", _("12 months")),
    ("36m", "clv_36m_cents", "contract_36m_cents", _("36 months")),
    ("lifetime", "clv_lifetime_cents", "contract_lifetime_cents", _("Lifetime")),
)
SUMS: Final = (
    *("historic_cents", "cost_cents", "acquisition_cents", "expected_cost_cents", "value_cents", "orders"),
    *(column for _name, *columns, _label in HORIZONS for column in columns),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ahead:
    """What is expected within a horizon, in minor units, and the value of all time that it makes."""

    name: str
    label: Promise
    margin_cents: int
    contract_cents: int  # of the margin
    costs_cents: int
    total_cents: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Formula:
    """The textbooks' product and its factors; money in minor units, of one customer on average."""

    order_value_cents: float
    frequency: float  # orders a year
    lifespan: float  # years
    margin_rate: float
    value_cents: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Worth:
    """Money in minor units. `formula` is None while the shop is younger than a year, or no order stands."""

    customers: int
    margin_cents: int
    cost_cents: int
    acquisition_cents: int
    ahead: Sequence[Ahead]
    formula: Formula | None

    @property
    def profit_cents(self) -> int:
        return self.margin_cents - self.cost_cents - self.acquisition_cents

    @property
    def taken_off(self) -> tuple[int, int]:
        """Acquisition and costs as a sum shows them: below zero."""
        return -self.acquisition_cents, -self.cost_cents

    @property
    def totals(self) -> dict[str, int]:
        """The total value by the horizon's name."""
        return {one.name: one.total_cents for one in self.ahead}

    @property
    def to_go_cents(self) -> int:
        """How much margin is missing until the costs are covered."""
        return max(0, -self.profit_cents)


@dataclass(frozen=True, kw_only=True, slots=True)
class OfCustomer:
    """One customer's worth, since when she pays, and how she was won; None where no order stands."""

    worth: Worth
    profitable_on: date | None
    acquired_on: date | None
    channel: str


@dataclass(frozen=True, kw_only=True, slots=True)
class OfMany:
    """The sums over some customers, and how many of them have paid for themselves."""

    worth: Worth
    profitable: int

    @property
    def profitable_share(self) -> float:
        return self.profitable / self.worth.customers if self.worth.customers else 0.0


def of_customer(score: Score, *, run: Run) -> OfCustomer:
    """One query. The figures are those of the run; channel and day of the first order come from the last count."""
    won = Profit.objects.filter(pk=score.customer_id).first()
    return OfCustomer(
        worth=of_score(score, run=run),
        profitable_on=score.profitable_on,
        acquired_on=won.acquired_on if won else None,
        channel=won.channel if won else "",
    )


def of_score(score: Score, *, run: Run) -> Worth:
    """Without a query."""
    years = float(profit.years_known(score.age_days))
    return _worth({name: getattr(score, name) for name in SUMS}, run=run, customers=1, years=years)


def of_night(run: Run) -> Worth | None:
    """Of all customers, as the night has added them up; None for a night from before costs were. Without a query."""
    told = run.stats.get("all", {})
    if not all(name in told for name in SUMS):
        return None
    return _worth({name: told[name] for name in SUMS}, run=run, customers=told["customers"], years=0.0)


def of_segment(*, scheme: str, slug: str, run: Run) -> OfMany:
    members = Membership.objects.filter(scheme=scheme, segment__slug=slug)
    return of_many(Score.objects.filter(run=run, customer_id__in=members.values("customer_id")), run=run)


def of_many(scores: QuerySet[Score], *, run: Run) -> OfMany:
    """The sums over these scores of the run, in one query."""
    years = Greatest(Cast("age_days", FloatField()) / profit.YEAR, 1.0)
    sums = scores.order_by().aggregate(
        customers=Count("customer_id"),
        profitable=Count("customer_id", filter=Q(profitable_on__isnull=False)),
        years=Sum(years, filter=Q(order_days__gt=0)),
        **{f"sum_{name}": Sum(F(name)) for name in SUMS},
    )
    worth = _worth(
        {name: sums[f"sum_{name}"] for name in SUMS}, run=run, customers=sums["customers"], years=sums["years"] or 0.0
    )
    return OfMany(worth=worth, profitable=sums["profitable"])


def _worth(told: Mapping[str, int | None], *, run: Run, customers: int, years: float) -> Worth:
    """`years` that these customers are known, together; one or many, the rules are the same. Horizons that the night
    did not tell are left out.
    """
    sums = {name: int(amount or 0) for name, amount in told.items()}
    spent = sums["historic_cents"] - sums["cost_cents"] - sums["acquisition_cents"]
    return Worth(
        customers=customers,
        margin_cents=sums["historic_cents"],
        cost_cents=sums["cost_cents"],
        acquisition_cents=sums["acquisition_cents"],
        ahead=[
            _ahead(name, label, (sums[column], sums[part]), sums, profit_cents=spent)
            for name, column, part, label in HORIZONS
            if told[column] is not None
        ],
        formula=_formula(sums, run=run, years=years),
    )


def _ahead(name: str, label: Promise, margins: tuple[int, int], sums: dict[str, int], *, profit_cents: int) -> Ahead:
    """`margins`: of orders and contracts together, and of contracts. Costs grow with what orders bring."""
    margin_cents, contract_cents = margins
    costs = profit.costs_ahead(
        costs_year=sums["expected_cost_cents"],
        margin_year=sums["clv_cents"] - sums["contract_cents"],
        margin=margin_cents - contract_cents,
    )
    total = profit.total(profit=profit_cents, predicted=margin_cents, costs=costs)
    return Ahead(
        name=name,
        label=label,
        margin_cents=margin_cents,
        contract_cents=contract_cents,
        costs_cents=round(costs),
        total_cents=round(total),
    )


def _formula(sums: dict[str, int], *, run: Run, years: float) -> Formula | None:
    told = run.model.get("profit")
    if not told or told["lifespan"] is None or not sums["orders"] or years <= 0:
        return None
    unit = 10 ** money.exponent(run.settings["currency"])
    found = profit.textbook(
        value=sums["value_cents"] / unit,
        orders=sums["orders"],
        years=years,
        lifespan=told["lifespan"],
        margin_rate=told["margin_rate"],
    )
    return Formula(
        order_value_cents=float(found.order_value) * unit,
        frequency=float(found.frequency),
        lifespan=found.lifespan,
        margin_rate=found.margin_rate,
        value_cents=float(found.value) * unit,
    )
