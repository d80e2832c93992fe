"""Functions of (x, T) that are smooth, worked out at the nodes of a grid and interpolated.

What is expected of a living customer is analytic in ln(α + T), with no singular point within π of the real axis, and
the same goes for ln x. So polynomials on Chebyshev's nodes, on panels of one e-fold of 1 + T/α and from EACH_UPTO
repeat orders on of a factor of four of x, come close as the nodes grow in number like 10^-n (Trefethen 2013,
Approximation Theory and Approximation Practice, chapter 8): twelve are right to 1e-12 for shops that are met, and to
1e-9 where everybody leaves at the same rate. A large shop has thirty thousand pairs and some fifteen hundred nodes.

The parameters give the grid, not the customers: each pair's figures are the same bits whatever stands beside it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.clv.params import FloatArray

NODES = 12
EACH_UPTO = 16  # below so many repeat orders every x is worked out by itself
OCTAVES = 2.0  # of x in a panel

Function = Callable[[FloatArray, FloatArray], FloatArray]


@dataclass(frozen=True, slots=True)
class _Axis:
    """Where rows lie on one axis: their panel, and their place in it from -1 to 1."""

    panel: NDArray[np.int64]
    place: FloatArray
    nodes: Callable[[NDArray[np.int64]], FloatArray]  # panels → panels × nodes


def interpolated(function: Function, x: NDArray[np.int64], T: FloatArray, alpha: float) -> FloatArray:
    """function(x, T), a row for each of its results and a column for each pair; x whole and ≥ 0, T ≥ 0.

    It is asked for any T ≥ 0 and, from EACH_UPTO on, for any x.
    """
    few, many = np.flatnonzero(x < EACH_UPTO), np.flatnonzero(x >= EACH_UPTO)
    parts = [
        _part(function, axis(x[rows]), _ages(T[rows], alpha))
        for rows, axis in ((few, _each), (many, _octaves))
        if rows.size
    ]
    order = np.argsort(np.concatenate([few, many]))
    return np.concatenate(parts, axis=1)[:, order]


def _each(x: NDArray[np.int64]) -> _Axis:
    return _Axis(x, np.zeros(x.size), lambda panels: panels[:, np.newaxis].astype(np.float64))


def _octaves(x: NDArray[np.int64]) -> _Axis:
    height = np.log2(x / EACH_UPTO) / OCTAVES
    return _axis(height, lambda at: EACH_UPTO * np.exp2(OCTAVES * at))


def _ages(T: FloatArray, alpha: float) -> _Axis:
    return _axis(np.log1p(T / alpha), lambda at: alpha * np.expm1(at))


def _axis(height: FloatArray, value: Callable[[FloatArray], FloatArray]) -> _Axis:
    """Panels of height 1, whose nodes `value` puts back on the axis."""
    panel = height.astype(np.int64)
    return _Axis(
        panel,
        2.0 * (height - panel) - 1.0,
        lambda panels: value(panels[:, np.newaxis] + (_nodes(NODES) + 1.0) / 2.0),
    )


def _part(function: Function, across: _Axis, along: _Axis) -> FloatArray:
    """Cells are panels of both axes; each has its own coefficients."""
    width = int(np.max(along.panel)) + 1
    cells, cell = np.unique(across.panel * width + along.panel, return_inverse=True)
    at_x, at_T = across.nodes(cells // width), along.nodes(cells % width)
    shape = (cells.size, at_x.shape[1], at_T.shape[1])
    x, T = np.broadcast_to(at_x[:, :, np.newaxis], shape), np.broadcast_to(at_T[:, np.newaxis, :], shape)
    values = function(x.ravel(), T.ravel())
    by_T = _coefficients(values.reshape(-1, *shape))
    coefficients = _coefficients(by_T.swapaxes(2, 3))  # results × cells × powers of T × powers of x
    total = np.zeros((values.shape[0], cell.size))
    powers_x = _polynomials(across.place, shape[1])
    for j, power_T in enumerate(_polynomials(along.place, shape[2])):
        for k, power_x in enumerate(powers_x):
            total += coefficients[:, :, j, k][:, cell] * (power_T * power_x)
    return total


def _nodes(count: int) -> FloatArray:
    """Chebyshev's nodes of the first kind."""
    return np.asarray(np.cos(np.pi * (np.arange(count) + 0.5) / count))


def _coefficients(values: FloatArray) -> FloatArray:
    """Of Chebyshev's polynomials, from the values at the nodes along the last axis."""
    count = values.shape[-1]
    terms = np.cos(np.outer(np.arange(count), np.arccos(_nodes(count)))) * (2.0 / count)
    terms[0] /= 2.0
    return np.asarray(np.sum(values[..., np.newaxis, :] * terms, axis=-1))


def _polynomials(place: FloatArray, count: int) -> list[FloatArray]:
    """Chebyshev's polynomials of degree 0 to count - 1."""
    found = [np.ones_like(place), place][:count]
    while len(found) < count:
        found.append(2.0 * place * found[-1] - found[-2])
    return found
