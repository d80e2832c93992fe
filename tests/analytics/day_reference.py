"""The likelihood of merged days by brute force: the double integral over λ and p on a dense grid."""

import numpy as np
from scipy.special import betaln, gammaln

RATES = np.linspace(-90.0, 6.0, 1_600)  # ln λ
CHANCES = np.linspace(-45.0, 14.0, 250)  # ln(p / (1 - p))
CELL = (RATES[1] - RATES[0]) * (CHANCES[1] - CHANCES[0])


def log_alive(logs, m, x, T):
    """ln A at ln(r, α, a, b), α in days."""
    return _integral(logs, m, survived=x, last=0, silent=T - x)


def log_left(logs, m, x, t_x):
    """ln D."""
    return _integral(logs, m, survived=x - 1, last=1, silent=t_x - x)


def slope(function, logs, step=1e-3):
    """Central differences by ln(r, α, a, b)."""
    return np.array([(function(logs + step * unit) - function(logs - step * unit)) / (2 * step) for unit in np.eye(4)])


def _integral(logs, m, *, survived, last, silent):
    r, alpha, a, b = np.exp(logs)
    rate = np.exp(RATES)[:, np.newaxis]
    log_p, log_q = -np.logaddexp(0, -CHANCES), -np.logaddexp(0, CHANCES)
    p, q = np.exp(log_p), np.exp(log_q)
    left = np.log(-np.expm1(-rate * p))
    first_day = m * log_q + left - np.log(rate * p)
    day = -rate * p + np.log(-np.expm1(-rate * q))
    prior = (
        r * (np.log(alpha) + RATES[:, np.newaxis]) - alpha * rate - gammaln(r) + a * log_p + b * log_q - betaln(a, b)
    )
    whole = prior + first_day + survived * day + last * left - rate * silent
    top = whole.max()
    return float(top + np.log(np.exp(whole - top).sum() * CELL))
