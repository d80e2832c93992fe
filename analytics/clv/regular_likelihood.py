"""The likelihood of MBG/CNBD-k over distinct histories, with its gradient, and the choice of k.

With R = r + k·x, w = (T-t_x)/(α+T) and S = Σ_j (R)_j/j! · w^j over j = 0 … k-1, so that Q = ((α+t_x)/(α+T))^R · S is
the chance of no order since t_x of someone who is still there,

    L = Π gap^(k-1) / Γ(k)^x · Γ(R)/Γ(r) · α^r (α+t_x)^-R · B(a, b+x+1)/B(a, b) · (Q + a/(b+x)),

Platzer & Reutterer (2016), appendix. The first factor holds no other parameter than k and needs only Σ ln gap of all.
"""

import numpy as np
from scipy.special import betaln, digamma, gammaln

from analytics.clv import beta_geometric, fitting, triples
from analytics.clv.params import FloatArray

MOST_STEPS = 12
BLOCK = 16_384  # histories worked on at once: the columns stay in the second-level cache


def log_likelihood(data: triples.Triples, values: FloatArray, *, k: int) -> tuple[float, FloatArray]:
    """Mean log-likelihood per customer without the factor of the gaps, and its gradient by (r, alpha, a, b).

    Times, and alpha, in the data's scale.
    """
    r, alpha, a, b = values.tolist()
    x, counts = _by_orders(data)
    R, together = r + k * x, digamma(a + b + x + 1.0) - digamma(a + b)
    level = float(np.dot(counts, gammaln(R) - gammaln(r) + betaln(a, b + x + 1.0) - betaln(a, b)))
    level += data.customers * r * float(np.log(alpha))
    slope = np.array(
        [
            np.dot(counts, digamma(R) - digamma(r)) + data.customers * np.log(alpha),
            data.customers * r / alpha,
            -np.dot(counts, together),
            np.dot(counts, digamma(b + x + 1.0) - digamma(b) - together),
        ]
    )
    for start in range(0, data.count.size, BLOCK):
        part, gradient = _brackets(data, slice(start, start + BLOCK), (r, alpha, a, b), k)
        level += part
        slope += gradient
    return level / data.customers, slope / data.customers


def _by_orders(data: triples.Triples) -> tuple[FloatArray, FloatArray]:
    """The distinct x and how many customers have each."""
    x, place = np.unique(data.x, return_inverse=True)
    return x, np.bincount(place, weights=data.count).astype(np.float64)


def _brackets(
    data: triples.Triples, rows: slice, values: tuple[float, float, float, float], k: int
) -> tuple[float, FloatArray]:
    """Σ ln[(α+t_x)^-R · (Q + a/(b+x))] and its gradient. No dot products: on long columns they start threads."""
    r, alpha, a, b = values
    x, count = data.x[rows], data.count[rows]
    last, end = alpha + data.t_x[rows], alpha + data.T[rows]
    R, share, silence = r + k * x, (end - last) / end, np.log(end / last)
    several, by_R, by_share = steps(R, share, k)
    log_quiet, log_left = np.log(several) - R * silence, np.log(a) - np.log(b + x)
    z = log_left - log_quiet
    decay = np.exp(-np.abs(z))
    gone = count * np.where(z > 0.0, 1.0, decay) / (1.0 + decay)
    kept = count - gone
    log_last = np.log(last)
    level = np.sum(count * (np.maximum(log_quiet, log_left) + np.log1p(decay) - R * log_last))
    slope = [
        np.sum(kept * (by_R - silence)) - np.sum(count * log_last),
        np.sum(kept * (R * (1.0 / last - 1.0 / end) - by_share * share / end)) - np.sum(count * R / last),
        np.sum(gone) / a,
        -np.sum(gone / (b + x)),
    ]
    return float(level), np.array(slope)


def steps(R: FloatArray, share: FloatArray, k: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """S = Σ_j (R)_j/j! · share^j over j < k, and the derivatives of ln S by R and by share."""
    term, by_R = np.ones(np.broadcast_shapes(R.shape, share.shape)), np.zeros(())
    total, slope_R, slope_share = term.copy(), np.zeros_like(term), np.zeros_like(term)
    for j in range(1, k):
        slope_share += term * (R + (j - 1))
        by_R = by_R + 1.0 / (R + (j - 1))
        term = term * (share * (R + (j - 1)) / j)
        total += term
        slope_R += term * by_R
    return total, slope_R / total, slope_share / total


def total(data: triples.Triples, mean: float, *, k: int, log_gaps: float) -> float:
    """The log-likelihood of all customers in their unit of time; `log_gaps` is theirs together."""
    gaps = (k - 1) * log_gaps if k > 1 else 0.0
    scale = k * data.orders * float(np.log(data.scale))
    return mean * data.customers + gaps - scale - data.orders * float(gammaln(k))


def fit(data: triples.Triples, *, log_gaps: float) -> tuple[fitting.Maximum, int]:
    """Maximum likelihood and its k; values in the data's scale, the total log-likelihood in the unit of time.

    The search for k stops when one more step is less likely, or has no maximum. Raises fitting.DidNotConverge.
    """
    if not np.isfinite(log_gaps):
        raise fitting.DidNotConverge("the gaps between the orders are not known")
    if data.repeat == 0:
        raise fitting.DidNotConverge("nobody has bought twice, so that nothing tells a pace from leaving")
    best, chosen = _fit_one(data, beta_geometric.START, k=1, log_gaps=log_gaps), 1
    for k in range(2, MOST_STEPS + 1):
        r, alpha, a, b = best.values
        try:
            found = _fit_one(data, (r, alpha * (k - 1) / k, a, b), k=k, log_gaps=log_gaps)
        except fitting.DidNotConverge:
            break
        if found.log_likelihood <= best.log_likelihood:
            break
        best, chosen = found, k
    return best, chosen


def _fit_one(data: triples.Triples, start: tuple[float, ...], *, k: int, log_gaps: float) -> fitting.Maximum:
    found = fitting.maximise(
        lambda values: log_likelihood(data, values, k=k),
        names=beta_geometric.NAMES,
        start=start,
        low=beta_geometric.LOW,
        high=beta_geometric.HIGH,
    )
    level = total(data, found.log_likelihood, k=k, log_gaps=log_gaps)
    return fitting.Maximum(values=found.values, log_likelihood=level, evaluations=found.evaluations)
