"""Value at risk: what orders are expected to bring of the customers whose churn risk is medium or high.

What contracts bring is not in it. They end on a day that is known and have a chance of renewal of their own, whatever
the silence between orders says.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from analytics.clv import bands

BANDS: Final = (bands.MEDIUM, bands.HIGH)


def of_cells(cells: Iterable[Mapping[str, int] | None]) -> int:
    """Minor units, from a night's sums over customers of these bands; nights from before contracts have none."""
    return sum(cell["clv_cents"] - cell.get("contract_cents", 0) for cell in cells if cell)


def of_bands(by_band: Mapping[str, Mapping[str, int]]) -> int:
    """Of everybody, from a night's sums by band."""
    return of_cells(by_band.get(str(band)) for band in BANDS)
