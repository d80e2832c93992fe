"""The one integral of Pareto/NBD, as a sum of positive terms.

Schmittlein, Morrison & Colombo (1987) and Fader & Hardie (2005) write the likelihood with two hypergeometric functions
and a case for α < β; the difference of the two cancels, and each overflows for heavy buyers. Both cases are

    f(R, s, A, B) = ∫ (1 + y/A)^-R (1 + y/B)^-(s+1) dy/B over y from 0 to infinity,

and s·f is the chance to leave before the next order of someone whose pace is Gamma(R, A) and whose rate of leaving is
Gamma(s, B): between 0 and 1.

It is taken by the trapezoidal rule in v, y = y₀·exp(v - e^-v), with y₀ below A/R and B/s, where the integrand is still
flat. It is analytic in a strip around the line, so that the error falls exponentially with 1/STEP; at the left end it
falls doubly exponentially, at the right end it becomes a pure exponential, whose sum goes into the last weight
(Takahasi & Mori 1974; Trefethen & Weideman 2014).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.clv.params import FloatArray

STEP = 0.25  # relative error about 1e-15
START = -3.75  # y there is e^-46 of y₀
REACH = (2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0, 100.0, 200.0)  # ends to choose from
NEGLIGIBLE = 38.0  # -ln of what may be left out, 3e-17
CELLS = 2**15  # rows × nodes worked on at once: they stay in the second-level cache


def chance_to_leave_first(R: ArrayLike, s: float, A: ArrayLike, B: ArrayLike) -> FloatArray:
    """f: s·f is her chance to leave before her next order. All broadcast; R, s, A, B > 0."""
    shapes = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (R, A, B)))
    shape, pace, leaving = (np.ravel(column) for column in shapes)
    result = np.empty(shape.size)
    for rows, nodes, weights in _blocks(shape, pace, leaving, s, STEP):
        _, _, _, mass = _integrand(shape[rows], pace[rows], leaving[rows], s, nodes, weights)
        result[rows] = np.sum(mass, axis=1)
    return result.reshape(shapes[0].shape)


def moments(R: FloatArray, s: float, A: FloatArray, B: FloatArray, step: float) -> FloatArray:
    """f and, weighted by its integrand, the means of ln(1+y/A), 1/(A+y), ln(1+y/B), 1/(B+y): five rows of columns."""
    result = np.empty((5, R.size))
    for rows, nodes, weights in _blocks(R, A, B, s, step):
        y, log_A, log_B, mass = _integrand(R[rows], A[rows], B[rows], s, nodes, weights)
        total = np.sum(mass, axis=1)
        result[0, rows] = total
        for place, part in enumerate((log_A, 1.0 / (A[rows, np.newaxis] + y), log_B, 1.0 / (B[rows, np.newaxis] + y))):
            result[place + 1, rows] = np.einsum("ij,ij->i", mass, part) / total
    return result


def _blocks(
    R: FloatArray, A: FloatArray, B: FloatArray, s: float, step: float
) -> list[tuple[NDArray[np.intp], FloatArray, FloatArray]]:
    """Rows with the same reach in blocks, the nodes v of each, and ln(dy/dv / y₀) there."""
    found = []
    reach = _reach(R, A, B, s)
    for place in np.unique(reach).tolist():
        nodes = np.arange(START, REACH[place] + step / 2.0, step)
        rows = np.flatnonzero(reach == place)
        size = max(CELLS // nodes.size, 1)
        found += [(rows[at : at + size], nodes) for at in range(0, rows.size, size)]
    return [(rows, np.exp(v - np.exp(-v)), v - np.exp(-v) + np.log1p(np.exp(-v)) + np.log(step)) for rows, v in found]


def _reach(R: FloatArray, A: FloatArray, B: FloatArray, s: float) -> NDArray[np.intp]:
    """Which REACH: where the integrand is negligible, or what follows is a pure exponential in ln y."""
    y0, widest = _scale(R, A, B, s), np.maximum(A, B)
    result = np.full(R.size, len(REACH) - 1, dtype=np.intp)
    rows = np.arange(R.size)
    for place, v in enumerate(REACH[:-1]):
        y = y0[rows] * np.exp(v)
        fall = R[rows] * np.log1p(y / A[rows]) + (s + 1.0) * np.log1p(y / B[rows]) - v
        far = np.log(y / widest[rows]) * (1.0 + R[rows] + s) > NEGLIGIBLE
        done = far | (fall > NEGLIGIBLE)
        result[rows[done]] = place
        rows = rows[~done]
    return result


def _scale(R: FloatArray, A: FloatArray, B: FloatArray, s: float) -> FloatArray:
    """y₀, below which the integrand hardly changes."""
    return np.asarray(1.0 / (np.maximum(R, 1.0) / A + (s + 1.0) / B))


def _integrand(
    R: FloatArray, A: FloatArray, B: FloatArray, s: float, nodes: FloatArray, log_weights: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """y, ln(1+y/A), ln(1+y/B) and the integrand times its weight, rows × nodes."""
    y0 = _scale(R, A, B, s)
    y = y0[:, np.newaxis] * nodes
    log_A, log_B = np.log1p(y / A[:, np.newaxis]), np.log1p(y / B[:, np.newaxis])
    mass = log_weights + np.log(y0 / B)[:, np.newaxis] - R[:, np.newaxis] * log_A - (s + 1.0) * log_B
    np.exp(mass, out=mass)
    step = np.log(nodes[-1] / nodes[-2])
    mass[:, -1] /= -np.expm1(-(R + s) * step)
    return y, log_A, log_B, mass
