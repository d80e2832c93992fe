"""The cells of a shop's customers (analytics/clv/cells.py): found from their baskets, kept in the run, told by SQL.

A cell is a channel, a category and a kind of customer, as far as the cells differ in them.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import numpy as np
from django.db import connection
from numpy.typing import NDArray
from psycopg import sql

from analytics.clv import cells
from analytics.clv.cells import Kind
from analytics.services import baskets
from core.models import Run
from customers.models import Category, Customer

CELL: Final = {"cell": "int2"}
COMPANIES: Final = "(SELECT id FROM customers_customer WHERE company_id IS NOT NULL)"
# What a kind is made of, each as SQL of a basket `k`.
PARTS: Final = ("k.first_channel", "coalesce(k.first_category_id, 0)", f"k.customer_id IN {COMPANIES}")
COUNTS: Final = f"SELECT {', '.join(PARTS)}, count(*) FROM {{baskets}} k GROUP BY 1, 2, 3"
ONE: Final = "SELECT {cell} FROM {baskets} k WHERE k.customer_id = %s"

Value = str | int | bool | None


def find(run: Run) -> list[dict[str, Any]]:
    """The cells of all customers as of the run's date, JSON-ready, with the names of their categories."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTS.format(baskets=baskets.table_of(run)))
        counts = {Kind(*kind): customers for *kind, customers in cursor.fetchall()}
    chosen = cells.choose(counts, fewest=cells.FEWEST)
    names = dict(Category.objects.filter(pk__in=[kind.category for kind in chosen]).values_list("pk", "name"))
    return [kind._asdict() | {"name": names.get(kind.category or 0, "")} for kind in chosen]


def kinds_of(run: Run) -> list[Kind]:
    """The kinds of the run's cells after the rest; none for a run from before there were cells."""
    return [Kind(one["channel"], one["category"], one["company"]) for one in run.model.get("cells", [])]


def expression(run: Run) -> str:
    """SQL of the cell of a basket `k`, which may be missing: then it is the rest.

    Each part becomes its place among the parts' values, and the places one small number: a million texts take seconds.
    """
    kinds = kinds_of(run)
    if not kinds:
        return "0::smallint"
    used = [place for place, value in enumerate(kinds[0]) if value is not None]
    values = [list(dict.fromkeys(kind[place] for kind in kinds)) for place in used]
    own = "0"
    for place, known in zip(used, values, strict=True):
        own = f"({own}) * {len(known)} + {_position(PARTS[place], known)} - 1"
    codes = [_code([kind[place] for place in used], values) for kind in kinds]
    are_all = codes == list(range(len(codes)))  # every combination is a cell: no need to look it up
    return f"coalesce({f'{own} + 1' if are_all else _position(own, codes)}, 0)::smallint"


def _position(told: str, known: Sequence[Value]) -> str:
    return f"array_position(ARRAY[{', '.join(sql.quote(value) for value in known)}], {told})"


def _code(parts: Sequence[Value], values: Sequence[Sequence[Value]]) -> int:
    code = 0
    for part, known in zip(parts, values, strict=True):
        code = code * len(known) + known.index(part)
    return code


def of_customer(run: Run, customer_id: int) -> int:
    """The customer's cell by what is known of her now; no query where the run has no cells."""
    if not kinds_of(run):
        return 0
    with connection.cursor() as cursor:
        cursor.execute(ONE.format(cell=expression(run).replace("%", "%%"), baskets=baskets.TABLE), [customer_id])
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def of_log(ids: NDArray[np.int64], *, as_of: date) -> NDArray[np.int16]:
    """The cells of these customers as of a day, found among themselves: a sample has cells that are as much smaller."""
    openings = baskets.openings(ids, as_of=as_of)
    companies = set(Customer.objects.filter(company__isnull=False, pk__in=openings).values_list("pk", flat=True))
    kinds = [Kind(*openings.get(pk, ("", 0)), pk in companies) for pk in ids.tolist()]
    chosen = cells.choose(Counter(kinds), fewest=_fewest(len(ids)))
    return cells.number(kinds, chosen)


def _fewest(customers: int) -> int:
    return max(1, round(cells.FEWEST * customers / max(Customer.objects.count(), customers, 1)))
