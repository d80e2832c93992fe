"""What a coffee and tea roaster sells, and what things cost over the years.

Prices move once a year with a new list on 1 February. Costs move every quarter and faster, those of green coffee most.
"""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Final

from crm.demo.facts import Item

PRICES_RISE: Final = Decimal("1.035")  # a year
COSTS_RISE: Final = {"Coffee": Decimal("1.07"), "Wholesale": Decimal("1.065"), "Tea": Decimal("1.045")}
OTHER_COSTS_RISE: Final = Decimal("1.04")
CENT: Final = Decimal("0.01")

WINTER, ADVENT, SUMMER, SPRING = (11, 12, 1, 2), (10, 11, 12), (5, 6, 7, 8, 9), (3, 4)
STANDARD_TAX = Decimal("0.23")

Row = tuple[str, str, str, float, float, tuple[int, ...]]

# name: price of 250 g, how often it is chosen
COFFEES = {
    "Oak House espresso": ("9.20", 10, ()),
    "Juniper filter blend": ("9.40", 8, ()),
    "Quayside breakfast roast": ("8.60", 6, ()),
    "Harbour decaf, Swiss water": ("10.40", 4, ()),
    "Ethiopia Guji, natural": ("12.40", 5, ()),
    "Ethiopia Yirgacheffe, washed": ("11.90", 4, ()),
    "Kenya Nyeri AA": ("13.20", 3, ()),
    "Colombia Huila": ("10.90", 5, ()),
    "Guatemala Antigua": ("11.20", 3, ()),
    "Brazil Cerrado": ("9.60", 4, ()),
    "Costa Rica Tarrazú, honey": ("12.60", 2, ()),
    "Rwanda Nyamasheke": ("11.60", 2, ()),
    "Peru Cajamarca, organic": ("10.60", 3, ()),
    "Sumatra Mandheling": ("11.40", 2, ()),
    "Winter blend": ("10.80", 9, WINTER),
    "Spring harvest": ("11.80", 4, SPRING),
}
TEAS = {
    "Irish breakfast": ("7.20", 9, ()),
    "Earl Grey, blue flower": ("7.90", 7, ()),
    "Assam Mokalbari": ("8.60", 4, ()),
    "Darjeeling first flush": ("14.80", 3, ()),
    "Lapsang souchong": ("9.80", 2, ()),
    "Sencha Uji": ("11.60", 4, ()),
    "Genmaicha": ("8.90", 3, ()),
    "Jasmine pearls": ("15.40", 3, ()),
    "Tie Guan Yin oolong": ("13.60", 2, ()),
    "White peony": ("12.90", 2, ()),
    "Ripe pu-erh": ("12.20", 1, ()),
    "Masala chai": ("8.40", 5, ()),
    "Rooibos vanilla": ("7.40", 4, ()),
    "Peppermint": ("6.40", 5, ()),
    "Chamomile meadow": ("6.80", 3, ()),
    "Lemon and ginger": ("6.90", 5, ()),
    "Hibiscus and rose": ("7.10", 3, ()),
    "Nettle and mint": ("6.60", 2, ()),
    "Winter spice": ("7.80", 9, WINTER),
    "Peach iced tea": ("7.60", 7, SUMMER),
    "Elderflower iced tea": ("7.60", 5, SUMMER),
}
# sku, name, price, share of the price that it costs, how often it is chosen, months
BREWING: list[Row] = [
    ("BRW-DRIP", "Ceramic dripper 02", "24.00", 0.46, 6, ()),
    ("BRW-PRESS", "French press, 1 l", "36.00", 0.48, 6, ()),
    ("BRW-MOKA", "Moka pot, six cups", "34.00", 0.5, 4, ()),
    ("BRW-CARAFE", "Glass carafe, 600 ml", "22.00", 0.42, 3, ()),
    ("BRW-SCALE", "Scale with timer", "48.00", 0.55, 3, ()),
    ("BRW-KETTLE", "Gooseneck kettle", "89.00", 0.6, 2, ()),
    ("BRW-HAND", "Hand grinder", "74.00", 0.56, 4, ()),
    ("BRW-BURR", "Burr grinder, electric", "189.00", 0.64, 1.6, ()),
    ("BRW-LARK", "Espresso machine Lark", "549.00", 0.7, 0.7, ()),
    ("BRW-JUG", "Milk jug, 350 ml", "18.00", 0.4, 3, ()),
    ("BRW-TAMP", "Tamper, 58 mm", "26.00", 0.44, 1.5, ()),
    ("BRW-COLD", "Cold brew bottle, 750 ml", "21.00", 0.42, 6, SUMMER),
    ("BRW-TRAVEL", "Travel press", "32.00", 0.48, 2, ()),
]
POTS: list[Row] = [
    ("POT-GLASS", "Glass teapot, 1 l", "38.00", 0.45, 4, ()),
    ("POT-IRON", "Cast-iron teapot", "64.00", 0.52, 2, ()),
    ("POT-STONE", "Stoneware teapot, moss", "46.00", 0.46, 3, ()),
    ("POT-STRAIN", "Tea strainer, steel", "9.50", 0.34, 6, ()),
    ("POT-WHISK", "Matcha bowl and whisk", "29.00", 0.44, 3, ()),
    ("POT-CADDY", "Tea caddy, 150 g", "12.00", 0.38, 4, ()),
]
CONSUMABLES: list[Row] = [
    ("CON-PAPER", "Paper filters 02, 100", "4.80", 0.38, 9, ()),
    ("CON-TABLET", "Cleaning tablets, 10", "8.90", 0.4, 4, ()),
    ("CON-DESCALE", "Descaler, 250 ml", "7.90", 0.36, 4, ()),
    ("CON-TEAFILT", "Paper tea filters, 100", "4.40", 0.36, 5, ()),
]
CUPS: list[Row] = [
    ("CUP-MOSS", "Stoneware mug, moss", "16.00", 0.42, 5, ()),
    ("CUP-SLATE", "Stoneware mug, slate", "16.00", 0.42, 4, ()),
    ("CUP-OAT", "Stoneware mug, oat", "16.00", 0.42, 4, ()),
    ("CUP-ESP", "Espresso cups, pair", "22.00", 0.44, 3, ()),
    ("CUP-CAP", "Cappuccino cups, pair", "26.00", 0.44, 3, ()),
    ("CUP-GLASS", "Double-wall glasses, pair", "24.00", 0.46, 3, ()),
    ("CUP-GO", "Travel mug, 350 ml", "27.00", 0.5, 4, ()),
]
TREATS: list[Row] = [
    ("TRT-DARK", "Dark chocolate 72 %", "4.90", 0.5, 6, ()),
    ("TRT-MILK", "Milk chocolate with sea salt", "4.90", 0.5, 5, ()),
    ("TRT-SHORT", "Butter shortbread", "5.40", 0.48, 6, ()),
    ("TRT-OAT", "Oat and honey biscuits", "4.60", 0.46, 5, ()),
    ("TRT-CANT", "Almond cantuccini", "6.20", 0.5, 4, ()),
    ("TRT-HONEY", "Heather honey, 340 g", "9.80", 0.56, 3, ()),
    ("TRT-MARM", "Orange marmalade", "6.40", 0.5, 2, ()),
    ("TRT-CAKE", "Whiskey fruit cake", "18.50", 0.52, 6, ADVENT),
    ("TRT-EGG", "Chocolate egg, coffee crunch", "12.50", 0.5, 7, SPRING),
    ("TRT-BEANS", "Chocolate coffee beans", "5.80", 0.46, 4, ()),
]
GIFTS: list[Row] = [
    ("GFT-COFFEE", "Gift box, three coffees", "34.00", 0.5, 7, ()),
    ("GFT-TEA", "Gift box, four teas", "32.00", 0.46, 6, ()),
    ("GFT-DUO", "Gift box, coffee and chocolate", "24.00", 0.5, 6, ()),
    ("GFT-BREW", "Gift box, dripper and filter coffee", "46.00", 0.52, 4, ()),
    ("GFT-HAMPER", "Winter hamper", "78.00", 0.55, 4, ADVENT),
    ("GFT-ADVC", "Advent calendar, 24 coffees", "59.00", 0.54, 6, (10, 11)),
    ("GFT-ADVT", "Advent calendar, 24 teas", "42.00", 0.5, 6, (10, 11)),
    ("GFT-TASTE", "Tasting box, five coffees", "27.00", 0.52, 5, ()),
    ("GFT-TEATASTE", "Tasting box, eight teas", "22.00", 0.46, 4, ()),
    ("GFT-EVENING", "Barista evening, one place", "55.00", 0.4, 1.5, ()),
]
WHOLESALE: list[Row] = [
    ("WHS-ESP", "Oak House espresso, 6 kg case", "138.00", 0.6, 10, ()),
    ("WHS-FILTER", "Juniper filter blend, 6 kg case", "142.00", 0.6, 6, ()),
    ("WHS-DECAF", "Harbour decaf, 3 kg case", "84.00", 0.6, 3, ()),
    ("WHS-SINGLE", "Single origin of the month, 3 kg", "92.00", 0.62, 2, ()),
    ("WHS-IRISH", "Irish breakfast, 500 envelopes", "62.00", 0.5, 6, ()),
    ("WHS-HERB", "Herbal selection, 300 envelopes", "48.00", 0.48, 4, ()),
    ("WHS-COLD", "Cold brew concentrate, 6 × 1 l", "66.00", 0.52, 6, SUMMER),
    ("WHS-CLEAN", "Machine cleaner, 1 kg", "24.00", 0.5, 3, ()),
    ("WHS-BISC", "Wrapped biscuits, 300", "38.00", 0.56, 3, ()),
    ("WHS-CHOC", "Drinking chocolate, 2 kg", "32.00", 0.52, 3, ()),
]
SHELVES: list[tuple[str, list[Row], Decimal]] = [
    ("Brewing", BREWING, STANDARD_TAX), ("Teaware", POTS, STANDARD_TAX),
    ("Filters and care", CONSUMABLES, STANDARD_TAX),
    ("Cups", CUPS, STANDARD_TAX), ("Treats", TREATS, Decimal("0.135")), ("Gifts", GIFTS, STANDARD_TAX),
    ("Wholesale", WHOLESALE, Decimal(0)),
]  # fmt: skip
DELIVERIES = {
    "ie": Item(
        "SHP-IE", "Delivery, Ireland", "Delivery", Decimal("4.50"), Decimal("4.10"), "shipping", tax=STANDARD_TAX
    ),
    "eu": Item(
        "SHP-EU", "Delivery, Europe", "Delivery", Decimal("9.90"), Decimal("8.70"), "shipping", tax=STANDARD_TAX
    ),
}
SAMPLES = [
    Item("SMP-COFFEE", "Sample set, four coffees", "Samples", Decimal(0), Decimal("3.40")),
    Item("SMP-TEA", "Sample set, six teas", "Samples", Decimal(0), Decimal("2.60")),
]


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def code(name: str) -> str:
    """A short code from a name: the first four letters of its first two words."""
    words = ["".join(letter for letter in word if letter.isascii() and letter.isalpha()) for word in name.split()]
    return "-".join(word[:4].upper() for word in words[:2])


def packs(
    category: str,
    sorts: dict[str, tuple[str, int, tuple[int, ...]]],
    sizes: list[tuple[str, str, str, float]],
    cost_share: str,
) -> list[Item]:
    """Every sort in every size. A size is a code, how it is named, a factor on the price, and one on the demand."""
    prefix = category[:3].upper()
    return [
        Item(
            sku=f"{prefix}-{code(name)}-{size}",
            name=f"{name}, {size_name}",
            category=category,
            price=rounded(Decimal(price) * Decimal(factor)),
            cost=cents(Decimal(price) * Decimal(factor) * Decimal(cost_share)),
            months=months,
            weight=weight * demand,
        )
        for name, (price, weight, months) in sorts.items()
        for size, size_name, factor, demand in sizes
    ]


def shelf(category: str, rows: list[Row], tax: Decimal) -> list[Item]:
    return [
        Item(
            sku,
            name,
            category,
            Decimal(price),
            cents(Decimal(price) * Decimal(str(share))),
            "goods",
            months,
            weight,
            tax,
        )
        for sku, name, price, share, weight, months in rows
    ]


def rounded(price: Decimal) -> Decimal:
    """Prices end in a full ten cents, from 20 up in a half."""
    step = Decimal("0.5") if price >= 20 else Decimal("0.1")
    return cents((price / step).quantize(Decimal(1), ROUND_HALF_UP) * step)


COFFEE = packs("Coffee", COFFEES, [("250", "250 g", "1", 1.0), ("1000", "1 kg", "3.6", 0.45)], "0.47")
TEA = packs("Tea", TEAS, [("100", "100 g", "1", 1.0), ("BAG", "20 bags", "0.85", 0.6)], "0.4")
ITEMS: list[Item] = [
    *COFFEE,
    *TEA,
    *(item for category, rows, tax in SHELVES for item in shelf(category, rows, tax)),
    *SAMPLES,
    *DELIVERIES.values(),
]
BY_CATEGORY: dict[str, list[Item]] = {
    category: [item for item in ITEMS if item.category == category]
    for category in dict.fromkeys(i.category for i in ITEMS)
}


def price_on(item: Item, day: date, opened_on: date) -> Decimal:
    """The list price of a day: a new list each 1 February after the opening."""
    lists = day.year - opened_on.year + (day.month >= 2) - (opened_on.month >= 2)
    return rounded(item.price * risen(PRICES_RISE, lists * 4))


def cost_on(item: Item, day: date, opened_on: date) -> Decimal:
    """What a piece costs the shop on a day; it moves with the quarters."""
    quarters = (day.year - opened_on.year) * 4 + (day.month - 1) // 3 - (opened_on.month - 1) // 3
    return cents(item.cost * risen(COSTS_RISE.get(item.category, OTHER_COSTS_RISE), quarters))


@cache
def risen(rate: Decimal, quarters: int) -> Decimal:
    """By what a yearly rate has multiplied after so many quarters. Roots of decimals are slow: each is drawn once."""
    return rate ** (Decimal(quarters) / 4)
