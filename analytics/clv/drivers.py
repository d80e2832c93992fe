"""What value is made of, and which part of it made the difference: value = customers × time × frequency × money.

| driver | of a group of customers |
|---|---|
| customers | how many they are |
| time | lifetime value / value of 12 months: how many such years lie ahead, discounted |
| frequency | orders expected within 12 months, a customer |
| money | discounted margin of 12 months, an order |

The product is the group's lifetime value exactly. A difference between two such products is divided by the logarithmic
mean Divisia index (LMDI-I; Ang 2004, eq. 5; Ang 2005): with L(u, v) = (u − v) / (ln u − ln v),

    Δ of a driver d = L(V₁, V₀) · ln(d₁ / d₀),

and the parts add up to V₁ − V₀ without a rest. A group that came or went has nothing to compare its factors with: all
of its value is its customers'. The value of another horizon is divided in the same way; within 12 months time is 1.
"""

from dataclasses import dataclass

import numpy as np

NAMES = ("customers", "time", "frequency", "money")


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over a group. Money in one unit; each may be 0."""

    customers: float
    lifetime: float  # value, or that of another horizon
    year: float  # value of 12 months
    orders: float  # expected within 12 months


@dataclass(frozen=True, slots=True)
class Drivers:
    """The factors of a group's lifetime value; 0 where there is nothing to divide by."""

    customers: float
    time: float  # years
    frequency: float  # orders a year
    money: float  # an order

    @property
    def value(self) -> float:
        return self.customers * self.time * self.frequency * self.money


def drivers(group: Totals) -> Drivers:
    """The factors, whose product is `group.lifetime` wherever there are orders and value to come."""
    return Drivers(
        customers=group.customers,
        time=_ratio(group.lifetime, group.year),
        frequency=_ratio(group.orders, group.customers),
        money=_ratio(group.year, group.orders),
    )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def divide(after: Drivers, before: Drivers) -> dict[str, float]:
    """What each driver adds to the difference of the two values; the parts add up to it.

    Where one side has no value there are no factors to compare: the whole difference is the customers'.
    """
    if not after.value or not before.value:
        return dict.fromkeys(NAMES, 0.0) | {"customers": after.value - before.value}
    weight = _logarithmic_mean(after.value, before.value)
    return {name: weight * float(np.log(getattr(after, name) / getattr(before, name))) for name in NAMES}


def _logarithmic_mean(u: float, v: float) -> float:
    """L(u, v), between the two; u where they are the same."""
    ratio = float(np.log(u / v))
    return v * float(np.expm1(ratio)) / ratio if ratio else u


def divide_whole(after: Totals, before: Totals) -> dict[str, int]:
    """The parts in whole units, which add up to the difference of the two lifetime values in whole units.

    Each part is rounded down, and what is missing goes to the parts that lost most (largest remainders).
    """
    difference = round(after.lifetime) - round(before.lifetime)
    now, then = drivers(after), drivers(before)
    if not now.value or not then.value:
        return dict.fromkeys(NAMES, 0) | {"customers": difference}
    parts = divide(now, then)
    whole = {name: int(np.floor(part)) for name, part in parts.items()}
    rest = difference - sum(whole.values())
    by_loss = sorted(NAMES, key=lambda name: whole[name] - parts[name])
    for place in range(abs(rest)):
        whole[by_loss[place % len(NAMES)]] += 1 if rest > 0 else -1
    return whole
