"""The likelihood of Pareto/NBD over distinct histories, with its gradient.

With g(t) = (α+t)^-(r+x) · (β+t)^-s, for having stayed and kept silent until t, and for leaving after t before any order
G(t) = s·∫ (α+τ)^-(r+x) (β+τ)^-(s+1) dτ over τ > t,

    L = Γ(r+x)/Γ(r) · α^r · β^s · [g(T) + G(t_x) - G(T)].

G and its derivatives are taken once for each distinct (x, t); g(T) > G(T), so that nothing cancels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln

from analytics.clv import fitting, pareto_integral, triples
from analytics.clv.params import FloatArray

NAMES = ("r", "alpha", "s", "beta")
LOW = (1e-4, 1e-6, 1e-4, 1e-6)  # alpha and beta in mean ages
HIGH = (1e4, 1e6, 1e4, 1e6)
START = (0.5, 0.25, 0.5, 0.3)
STEP = 0.35  # relative error 1e-11
ROUGH_STEP = 0.5  # 2e-8: enough where only a start is wanted
NEARLY_ONE = 1.0 - 2.0**-53
MANY = 50_000  # distinct histories, from which on coarse ones are fitted first
BLOCK = 65_536  # histories worked on at once


@dataclass(frozen=True, slots=True)
class Paired:
    """Distinct histories, and the distinct (x, t) that they are made of."""

    data: triples.Triples
    x: FloatArray
    t: FloatArray
    at_last: NDArray[np.intp]  # the place of each history's (x, t_x)
    at_end: NDArray[np.intp]  # and of its (x, T)


def paired(data: triples.Triples) -> Paired:
    """The likelihood's view of these histories."""
    at = np.concatenate([data.last, data.end])
    x, t, place = triples.pairs_at(np.concatenate([data.x, data.x]), data.times, at)
    return Paired(data=data, x=x, t=t, at_last=place[: data.x.size], at_end=place[data.x.size :])


def log_likelihood(histories: Paired, values: FloatArray, *, step: float) -> tuple[float, FloatArray]:
    """Mean log-likelihood per customer and its gradient by (r, alpha, s, beta), times in the data's scale."""
    r, alpha, s, beta = values.tolist()
    n, x, count = histories.data.customers, histories.data.x, histories.data.count
    shape, A, B = r + histories.x, alpha + histories.t, beta + histories.t
    f, *means = pareto_integral.moments(shape, s, A, B, step)
    log_A, log_B = np.log(A), np.log(B)
    log_g, first = -shape * log_A - s * log_B, np.minimum(s * f, NEARLY_ONE)
    level, gone, kept = _brackets(histories, log_g + np.log(first), log_g + np.log1p(-first))
    by_g = np.array([-log_A, -shape / A, -log_B, -s / B])
    by_G = np.array([-log_A - means[0], -shape * means[1], 1.0 / s - log_B - means[2], -(s + 1.0) * means[3]])
    end = kept / (1.0 - first)  # g(T) over the bracket
    slope = np.sum(by_g * end, axis=1) + np.sum(by_G * (gone - end * first), axis=1)
    level += float(np.sum(count * (gammaln(r + x) - gammaln(r)))) + n * float(r * np.log(alpha) + s * np.log(beta))
    pace = float(np.sum(count * (digamma(r + x) - digamma(r))))
    slope += [pace + n * np.log(alpha), n * r / alpha, n * np.log(beta), n * s / beta]
    return level / n, slope / n


def _brackets(histories: Paired, log_gone: FloatArray, log_kept: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Σ ln[G(t_x) + (g - G)(T)], and the sums of the shares of the two in it by distinct (x, t).

    No dot products: on long columns they start threads.
    """
    level, size = 0.0, histories.x.size
    gone, kept = np.zeros(size), np.zeros(size)
    for start in range(0, histories.data.count.size, BLOCK):
        rows = slice(start, start + BLOCK)
        count, last, end = histories.data.count[rows], histories.at_last[rows], histories.at_end[rows]
        before, after = log_gone[last], log_kept[end]
        z = before - after
        decay = np.exp(-np.abs(z))
        level += float(np.sum(count * (np.maximum(before, after) + np.log1p(decay))))
        share = count * np.where(z > 0.0, 1.0, decay) / (1.0 + decay)
        gone += np.bincount(last, weights=share, minlength=size)
        kept += np.bincount(end, weights=count - share, minlength=size)
    return level, gone, kept


def fit(histories: Paired) -> fitting.Maximum:
    """Maximum likelihood in the data's scale, per customer. Raises fitting.DidNotConverge.

    Of many histories coarse ones are fitted first: their maximum is near and they have the same ridges.
    """
    if histories.data.count.size < MANY:
        return fitting.maximise(_level(histories), names=NAMES, start=START, low=LOW, high=HIGH)
    coarse = _level(paired(triples.coarse(histories.data)), step=ROUGH_STEP)
    return fitting.maximise_from_part(_level(histories), coarse, names=NAMES, start=START, low=LOW, high=HIGH)


def _level(histories: Paired, *, step: float = STEP) -> fitting.Objective:
    return lambda values: log_likelihood(histories, values, step=step)
