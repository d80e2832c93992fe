"""The papers' formulas as they are printed, in arithmetic of 60 digits and more.

The printed form cancels: where it does, 60 digits are not enough. So each value is computed with twice the
digits again until two results agree, and a = 1 is approached from a distance that the digits can bear.
"""

import mpmath as mp

DIGITS = 60
MOST_DIGITS = 960


def settled(formula):
    """Run formula() with more and more digits until it stands still to 20 of them."""

    def run(*args):
        digits, before = DIGITS, None
        while digits <= MOST_DIGITS:
            with mp.workdps(digits):
                value = formula(*(mp.mpf(float(arg)) for arg in args))
            if before is not None and abs(value - before) <= mp.mpf(10) ** -20 * abs(value):
                return value
            before, digits = value, 2 * digits
        raise ArithmeticError(f"{formula.__name__}{args} does not settle")

    return run


def _events(R, y, a, beta):
    """(a + β - 1)/(a - 1) · [1 - (1 + y)^-R · 2F1(R, β; a + β - 1; y/(1 + y))]"""
    nudge = mp.mpf(10) ** (-mp.mp.dps // 2)
    a = a + nudge if a == 1 else a
    c = a + beta - 1
    c = c + nudge if c == 0 else c
    return c / (a - 1) * (1 - (1 + y) ** -R * mp.hyp2f1(R, beta, c, y / (1 + y), maxterms=10**6))


@settled
def expected_events(R, y, a, beta):
    return _events(R, y, a, beta)


@settled
def bg_p_alive(r, alpha, a, b, x, t_x, T):
    """Fader, Hardie & Lee (2005): 1 for x = 0."""
    if x == 0:
        return mp.mpf(1)
    return 1 / (1 + a / (b + x - 1) * ((alpha + T) / (alpha + t_x)) ** (r + x))


@settled
def mbg_p_alive(r, alpha, a, b, x, t_x, T):
    """Batislam, Denizel & Filiztekin (2007)."""
    return 1 / (1 + a / (b + x) * ((alpha + T) / (alpha + t_x)) ** (r + x))


def p_silent(p_alive, t, r, alpha, x, T):
    """She has left, or is alive and silent."""
    with mp.workdps(MOST_DIGITS):
        silent = ((alpha + mp.mpf(T)) / (alpha + mp.mpf(T) + t)) ** (mp.mpf(r) + x)
        return 1 - p_alive + p_alive * silent


@settled
def bg_log_likelihood(r, alpha, a, b, x, t_x, T):
    """ln L of one customer, Fader, Hardie & Lee (2005, eq. 6)."""
    rest = mp.gamma(r + x) / mp.gamma(r) * alpha**r
    alive = mp.beta(a, b + x) / mp.beta(a, b) * rest / (alpha + T) ** (r + x)
    left = mp.beta(a + 1, b + x - 1) / mp.beta(a, b) * rest / (alpha + t_x) ** (r + x) if x else 0
    return mp.log(alive + left)


@settled
def mbg_log_likelihood(r, alpha, a, b, x, t_x, T):
    """ln L of one customer, Batislam, Denizel & Filiztekin (2007)."""
    rest = mp.gamma(r + x) / mp.gamma(r) * alpha**r
    alive = mp.beta(a, b + x + 1) / mp.beta(a, b) * rest / (alpha + T) ** (r + x)
    left = mp.beta(a + 1, b + x) / mp.beta(a, b) * rest / (alpha + t_x) ** (r + x)
    return mp.log(alive + left)


@settled
def bg_pmf(r, alpha, a, b, x, t):
    """P(X(t) = x), Fader, Hardie & Lee (2005, eq. 8)."""
    return _pmf(r, alpha, x, t, mp.beta(a, b + x), mp.beta(a + 1, b + x - 1) if x else 0) / mp.beta(a, b)


@settled
def mbg_pmf(r, alpha, a, b, x, t):
    return _pmf(r, alpha, x, t, mp.beta(a, b + x + 1), mp.beta(a + 1, b + x)) / mp.beta(a, b)


def _pmf(r, alpha, x, t, alive, left):
    """The tail P(N ≥ x) is one less a sum close to one: it takes its own digits."""
    with mp.workdps(mp.mp.dps + MOST_DIGITS):
        idle, busy = alpha / (alpha + t), t / (alpha + t)
        terms = [mp.mpf(1)]
        for j in range(int(x)):
            terms.append(terms[-1] * (r + j) / (j + 1) * busy)
        return alive * idle**r * terms[-1] + left * (1 - idle**r * mp.fsum(terms[:-1]))


@settled
def gamma_gamma_log_likelihood(p, q, gamma, x, zbar):
    """ln f(z̄ | p, q, γ; x), Fader & Hardie (2013, eq. 1a)."""
    return (
        mp.loggamma(p * x + q)
        - mp.loggamma(p * x)
        - mp.loggamma(q)
        + q * mp.log(gamma)
        + (p * x - 1) * mp.log(zbar)
        + p * x * mp.log(x)
        - (p * x + q) * mp.log(gamma + x * zbar)
    )
