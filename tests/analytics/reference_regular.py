"""MBG/CNBD-k as Platzer & Reutterer (2016) print it, in arithmetic of 60 digits and more (see reference.py)."""

import mpmath as mp

from tests.analytics.reference import settled


def _quiet(k, r, alpha, x, t_x, T):
    """P(fewer than k steps since t_x), from the pace of the x orders until then."""
    shape, since = r + k * x, T - t_x
    terms = [mp.rf(shape, j) / mp.factorial(j) * (since / (alpha + T)) ** j for j in range(int(k))]
    return ((alpha + t_x) / (alpha + T)) ** shape * mp.fsum(terms)


@settled
def log_likelihood(k, r, alpha, a, b, x, t_x, T, log_gaps):
    """ln L of one customer: she is silent and still there, or left right after the last order."""
    shape = r + k * x
    alive = mp.beta(a, b + x + 1) / mp.beta(a, b) * _quiet(k, r, alpha, x, t_x, T)
    left = mp.beta(a + 1, b + x) / mp.beta(a, b)
    rest = mp.loggamma(shape) - mp.loggamma(r) + r * mp.log(alpha) - shape * mp.log(alpha + t_x)
    return rest + (k - 1) * log_gaps - x * mp.loggamma(k) + mp.log(alive + left)


@settled
def p_alive(k, r, alpha, a, b, x, t_x, T):
    return 1 / (1 + a / (b + x) / _quiet(k, r, alpha, x, t_x, T))


@settled
def p_silent_alive(t, k, r, alpha, a, b, x, t_x, T):
    return _quiet(k, r, alpha, x, t_x, T + t) / _quiet(k, r, alpha, x, t_x, T)


def expected_events(k, phase, R, y, a, beta):
    """Σ_n E[(1-p)^(n-1)] · P(N ≥ n·k - phase), term by term until nothing is left."""
    with mp.workdps(120):
        R, y, a, beta = (mp.mpf(float(v)) for v in (R, y, a, beta))
        busy, chance, below = y / (1 + y), (1 + y) ** -R, mp.mpf(0)
        total, alive, n, order = mp.mpf(0), mp.mpf(1), 0, 1
        while True:
            below += chance  # P(N ≤ n)
            n += 1
            chance *= busy * (R + n - 1) / n
            if (n + phase) % k == 0:
                term = alive * (1 - below)
                total += term
                if n > R * y and term < total * mp.mpf(10) ** -25:
                    return total
                alive *= (beta + order - 1) / (beta + a + order - 1)
                order += 1


def expected_purchases_alive(t, k, r, alpha, a, b, x, t_x, T):
    """A mean over the steps she is on the way to her next order."""
    with mp.workdps(60):
        t, r, alpha, a, b, x, t_x, T = (mp.mpf(float(v)) for v in (t, r, alpha, a, b, x, t_x, T))
        shape, share = r + k * x, (T - t_x) / (alpha + T)
        weights = [mp.rf(shape, j) / mp.factorial(j) * share**j for j in range(k)]
        events = [expected_events(k, j, shape + j, t / (alpha + T), a, b + x + 1) for j in range(k)]
        return mp.fdot(weights, events) / mp.fsum(weights)
