"""What lies in a basket: what the person likes, what goes with it, what the season offers."""

from collections.abc import Callable
from datetime import date
from typing import Final

import numpy as np

from crm.demo import dice
from crm.demo.catalogue import BY_CATEGORY, SAMPLES
from crm.demo.facts import Item
from crm.demo.lives import Life

Basket = dict[str, tuple[Item, int]]  # by SKU: the item and how many

MATCHES: Final = {  # by taste: what goes with the drink, and how often it is taken along
    "espresso": [("CON-TABLET", 0.06), ("CON-DESCALE", 0.05), ("TRT-CANT", 0.06), ("TRT-BEANS", 0.05)],
    "filter": [("CON-PAPER", 0.22), ("TRT-SHORT", 0.06), ("TRT-OAT", 0.06)],
    "tea": [("CON-TEAFILT", 0.12), ("TRT-SHORT", 0.10), ("TRT-HONEY", 0.06), ("TRT-MARM", 0.03)],
    "both": [("CON-PAPER", 0.10), ("CON-TEAFILT", 0.05), ("TRT-DARK", 0.09), ("TRT-SHORT", 0.05)],
}
GEAR: Final = {
    "espresso": ["Brewing", "Cups"],
    "filter": ["Brewing"],
    "tea": ["Teaware"],
    "both": ["Brewing", "Teaware", "Cups"],
}
EXPLORES: Final = 0.22  # how often something new is tried
LARGE_BAGS: Final = {"espresso": 0.45, "filter": 0.25, "tea": 0.0, "both": 0.2}


def in_season(items: list[Item], day: date) -> list[tuple[Item, float]]:
    """Items sold in that month with their weights; those of the season are asked for more."""
    return [(i, i.weight * (1.6 if i.months else 1.0)) for i in items if not i.months or day.month in i.months]


def find(sku: str) -> Item:
    return BY_SKU[sku]


BY_SKU: Final = {item.sku: item for items in BY_CATEGORY.values() for item in items}


class Taste:
    """The drinks that a person comes back to."""

    def __init__(self, random: np.random.Generator, life: Life) -> None:
        self.kind = life.taste
        self.large = dice.happens(random, LARGE_BAGS[self.kind])
        always = [(item, item.weight) for item in self.drinks() if not item.months]
        self.favourites = [dice.weighted(random, always) for _ in range(1 + int(random.integers(3)))]
        trade = [(item, item.weight) for item in BY_CATEGORY["Wholesale"] if not item.months]
        self.wholesale = [dice.weighted(random, trade), dice.weighted(random, trade)]
        self.cases = int(random.geometric(0.62))

    def drinks(self) -> list[Item]:
        coffee = [item for item in BY_CATEGORY["Coffee"] if item.sku.endswith("-1000") == self.large]
        return {"tea": BY_CATEGORY["Tea"], "both": coffee + BY_CATEGORY["Tea"]}.get(self.kind, coffee)

    def drink(self, random: np.random.Generator, day: date) -> Item:
        if dice.happens(random, EXPLORES):
            return dice.weighted(random, in_season(self.drinks(), day))
        return dice.one(random, self.favourites)


def put(basket: Basket, item: Item, quantity: int = 1) -> None:
    basket[item.sku] = (item, basket.get(item.sku, (item, 0))[1] + quantity)


def usual(random: np.random.Generator, taste: Taste, day: date) -> Basket:
    basket: Basket = {}
    for _ in range(1 + int(random.poisson(0.8))):
        put(basket, taste.drink(random, day), 2 if dice.happens(random, 0.16) else 1)
    for sku, chance in MATCHES[taste.kind]:
        if dice.happens(random, chance):
            put(basket, find(sku))
    if dice.happens(random, 0.07):
        put(basket, dice.weighted(random, in_season(BY_CATEGORY["Treats"], day)))
    if dice.happens(random, 0.07):
        put(basket, gear(random, taste, day))
    if dice.happens(random, 0.16 if day.month in (11, 12) else 0.015):
        put(basket, dice.weighted(random, in_season(BY_CATEGORY["Gifts"], day)))
    return basket


def gear(random: np.random.Generator, taste: Taste, day: date) -> Item:
    return dice.weighted(random, in_season(BY_CATEGORY[dice.one(random, GEAR[taste.kind])], day))


def first(random: np.random.Generator, taste: Taste, day: date) -> Basket:
    """The first basket: many begin with a tasting box or with something to brew in."""
    if dice.happens(random, 0.14):
        basket: Basket = {}
        put(basket, find("GFT-TEATASTE" if taste.kind == "tea" else "GFT-TASTE"))
        return basket
    basket = usual(random, taste, day)
    if dice.happens(random, 0.2):
        put(basket, gear(random, taste, day))
    return basket


def subscription(random: np.random.Generator, taste: Taste, day: date) -> Basket:
    """The favourites, the same each time; now and then something beside them."""
    basket: Basket = {}
    for item in taste.favourites[:2]:
        put(basket, item)
    if len(taste.favourites) == 1:
        put(basket, taste.favourites[0])
    if dice.happens(random, 0.14):
        put(basket, dice.weighted(random, in_season(taste.drinks() + BY_CATEGORY["Treats"], day)))
    return basket


def gift(random: np.random.Generator, taste: Taste, day: date) -> Basket:
    basket: Basket = {}
    for _ in range(1 + int(random.poisson(0.6))):
        put(basket, dice.weighted(random, in_season(BY_CATEGORY["Gifts"], day)))
    for category, chance in (("Treats", 0.35), ("Cups", 0.2), ("Teaware", 0.08)):
        if dice.happens(random, chance):
            put(basket, dice.weighted(random, in_season(BY_CATEGORY[category], day)))
    return basket


def wholesale(random: np.random.Generator, taste: Taste, day: date) -> Basket:
    basket: Basket = {}
    put(basket, taste.wholesale[0], max(1, taste.cases + int(random.integers(-1, 2))))
    if dice.happens(random, 0.5):
        put(basket, taste.wholesale[1])
    if dice.happens(random, 0.3):
        put(basket, dice.weighted(random, in_season(BY_CATEGORY["Wholesale"], day)))
    if day.month == 12 and dice.happens(random, 0.3):
        put(basket, find("GFT-DUO"), int(random.integers(4, 13)))
    return basket


def forgotten(random: np.random.Generator, taste: Taste, day: date) -> Basket:
    basket: Basket = {}
    put(basket, dice.weighted(random, in_season(BY_CATEGORY["Filters and care"] + BY_CATEGORY["Treats"], day)))
    return basket


def sample(random: np.random.Generator, taste: Taste, day: date) -> Basket:
    basket: Basket = {}
    put(basket, SAMPLES[taste.kind == "tea"])
    return basket


FILLERS: Final[dict[str, Callable[[np.random.Generator, Taste, date], Basket]]] = {
    "first": first,
    "usual": usual,
    "subscription": subscription,
    "gift": gift,
    "wholesale": wholesale,
    "forgotten": forgotten,
    "sample": sample,
}


def fill(random: np.random.Generator, purpose: str, taste: Taste, day: date) -> list[tuple[Item, int]]:
    """The items of a basket and how many of each."""
    return list(FILLERS[purpose](random, taste, day).values())
