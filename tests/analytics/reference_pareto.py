"""Pareto/NBD as Fader & Hardie (2005) print it, in arithmetic of 60 digits and more (see reference.py)."""

import mpmath as mp

from tests.analytics.reference import settled


def _half(r, alpha, s, beta, x, t):
    """One of the two terms of their A₀, with the case for α < β; Euler's transformation of the printed 2F1."""
    shape, wider = r + s + x, max(alpha, beta) + t
    if alpha >= beta:
        value = mp.hyp2f1(1, r + x, shape + 1, (alpha - beta) / wider) * ((beta + t) / wider) ** -s
    else:
        value = mp.hyp2f1(1, s + 1, shape + 1, (beta - alpha) / wider) * ((alpha + t) / wider) ** (1 - r - x)
    return value / wider**shape


def _gone(r, alpha, s, beta, x, t_x, T):
    """s/(r+s+x) · (α+T)^(r+x) · (β+T)^s · A₀: the odds that she has left."""
    difference = _half(r, alpha, s, beta, x, t_x) - _half(r, alpha, s, beta, x, T)
    return s / (r + s + x) * (alpha + T) ** (r + x) * (beta + T) ** s * difference


@settled
def log_likelihood(r, alpha, s, beta, x, t_x, T):
    """ln L of one customer."""
    alive = (alpha + T) ** -(r + x) * (beta + T) ** -s
    rest = mp.loggamma(r + x) - mp.loggamma(r) + r * mp.log(alpha) + s * mp.log(beta)
    return rest + mp.log(alive * (1 + _gone(r, alpha, s, beta, x, t_x, T)))


@settled
def p_alive(r, alpha, s, beta, x, t_x, T):
    return 1 / (1 + _gone(r, alpha, s, beta, x, t_x, T))


@settled
def p_gone(r, alpha, s, beta, x, t_x, T):
    gone = _gone(r, alpha, s, beta, x, t_x, T)
    return gone / (1 + gone)


@settled
def p_silent_alive(t, r, alpha, s, beta, x, T):
    """Silent and still there at T + t, or gone before without an order: as if T were her last order."""
    quiet = ((alpha + T) / (alpha + T + t)) ** (r + x) * ((beta + T) / (beta + T + t)) ** s
    return quiet * (1 + _gone(r, alpha, s, beta, x, T, T + t))


@settled
def expected_purchases_alive(t, r, alpha, s, beta, x, T):
    """(r+x)(β+T) / ((α+T)(s-1)) · [1 - ((β+T)/(β+T+t))^(s-1)]"""
    s = s + mp.mpf(10) ** (-mp.mp.dps // 2) if s == 1 else s
    return (r + x) * (beta + T) / ((alpha + T) * (s - 1)) * (1 - ((beta + T) / (beta + T + t)) ** (s - 1))


def leaves_first(R, s, A, B):
    """The integral by adaptive integration over the chance u to have stayed."""

    def silent(u):
        return (1 + B / A * (u ** (-1 / s) - 1)) ** -R

    with mp.workdps(30):
        R, s, A, B = (mp.mpf(float(v)) for v in (R, s, A, B))
        return mp.quad(silent, [0, mp.mpf("1e-9"), mp.mpf("1e-4"), mp.mpf("0.1"), mp.mpf("0.9"), 1]) / s


def pmf(r, alpha, s, beta, x, t):
    """Alive after x orders, or left at τ after x: the integral over τ taken numerically, to some 20 digits."""

    def orders(tau):
        pace = mp.loggamma(r + x) - mp.loggamma(r) - mp.loggamma(x + 1)
        return mp.exp(pace) * (alpha / (alpha + tau)) ** r * (tau / (alpha + tau)) ** x

    def left(tau):
        return orders(tau) * s * beta**s / (beta + tau) ** (s + 1)

    with mp.workdps(30):
        r, alpha, s, beta, x, t = (mp.mpf(float(v)) for v in (r, alpha, s, beta, x, t))
        return orders(t) * (beta / (beta + t)) ** s + mp.quad(left, [0, t / 100, t / 10, t / 2, t])
