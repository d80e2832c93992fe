"""What contracts add to the scores of those who hold them. A contract of a company without a customer adds to nobody's.

The interval of the sum takes the two parts to be independent: their distances from what is expected add up as the sides
of a right triangle.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from analytics.models import ContractTotal
from analytics.services import contract_values, partitions
from core import pgcopy
from core.models import Run
from core.pgcopy import Column

Cents = NDArray[np.int64]
AMOUNTS: Final = ("year_cents", "year_low_cents", "year_high_cents", "three_years_cents", "lifetime_cents")
# The horizon's column of a score, the part of it that contracts are, and the column of a total that this comes from.
HORIZONS: Final = (
    ("clv_cents", "contract_cents", "year_cents"),
    ("clv_36m_cents", "contract_36m_cents", "three_years_cents"),
    ("clv_lifetime_cents", "contract_lifetime_cents", "lifetime_cents"),
)
TOTALS: Final = f"""
SELECT owner_id, {", ".join(AMOUNTS)} FROM {{table}}
WHERE owner = '{ContractTotal.Owner.CUSTOMER}' AND owner_id BETWEEN {{first}} AND {{last}} ORDER BY owner_id
"""

REACH: Final = f"""
SELECT coalesce(sqrt(sum((year_cents - year_low_cents)::float8 ^ 2)), 0),
    coalesce(sqrt(sum((year_high_cents - year_cents)::float8 ^ 2)), 0)
FROM {{table}}
WHERE owner = '{ContractTotal.Owner.CUSTOMER}' AND owner_id IN (SELECT customer_id FROM {{scores}})
"""


def of_customers(run: Run, customers: NDArray[np.int64]) -> dict[str, Cents]:
    """The columns of the totals for these customers, who are in the order of their ids; 0 for those without."""
    found = {name: np.zeros(len(customers), np.int64) for name in AMOUNTS}
    if not len(customers):
        return found
    bounds = {"first": int(customers[0]), "last": int(customers[-1])}
    query = TOTALS.format(table=contract_values.table_of(run), **bounds)
    told = pgcopy.read(query, {}, dict.fromkeys(("owner_id", *AMOUNTS), "int8"))
    _, here, there = np.intersect1d(customers, told["owner_id"], assume_unique=True, return_indices=True)
    for name in AMOUNTS:
        found[name][here] = told[name][there]
    return found


def reach(run: Run) -> tuple[float, float]:
    """How far the interval of contracts, of 12 months, reaches below and above what is expected: of those in the run's
    table, which has to be complete.
    """
    with connection.cursor() as cursor:
        cursor.execute(REACH.format(table=contract_values.table_of(run), scores=partitions.table_of(run.pk)))
        below, above = cursor.fetchone() or (0.0, 0.0)
    return below, above


def build(*, run: Run, table: Mapping[str, Column]) -> dict[str, Column]:
    """The columns of value with that of contracts in them, and the parts that contracts are."""
    added = of_customers(run, table["customer_id"].values)
    rows: dict[str, Column] = {}
    for whole, part, source in HORIZONS:
        rows[whole] = _raised(table[whole], added[source], added[source])
        rows[part] = Column("int8", added[source])
    for end, own, sign in (("clv_low_cents", "year_low_cents", -1), ("clv_high_cents", "year_high_cents", 1)):
        distance = table[end].values - table["clv_cents"].values
        apart = added[own] - added["year_cents"]
        both = sign * np.rint(np.hypot(distance, apart)).astype(np.int64)
        moved = np.where(apart == 0, 0, both - distance)  # without chance in it a contract moves both ends alike
        rows[end] = _raised(table[end], added["year_cents"] + moved, added["year_cents"])
    return rows


def _raised(column: Column, by: NDArray[Any], contract: Cents) -> Column:
    """Empty stays what had no prediction and has no contract."""
    null = None if column.null is None else column.null & (contract == 0)
    return Column("int8", column.values + by, null)
