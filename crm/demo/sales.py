"""From visits to orders: the time of day, the channel, prices, discounts, delivery, status."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

import numpy as np

from crm.demo import baskets, catalogue, dice, habits, seasons
from crm.demo.baskets import Taste
from crm.demo.facts import Item, Line, Person, Sale
from crm.demo.lives import Life, Visit
from crm.demo.returns import returns
from crm.demo.seasons import Calendar

SALE, WELCOME, SUBSCRIBED, WIN_BACK, TRADE = (Decimal(rate) for rate in ("0.15", "0.10", "0.08", "0.15", "0.10"))
NOTHING: Final = Decimal(0)
FREE_DELIVERY: Final = {"Ireland": Decimal(45)}
FREE_DELIVERY_ABROAD: Final = Decimal(85)
CANCELLED: Final = 0.013
PENDING_DAYS: Final = 4
PENDING: Final = {"wholesale": 0.5}
PENDING_OTHERWISE: Final = 0.08
GUESTS: Final = 0.04  # orders without an account, beside the others
SAMPLES: Final = {"wholesale": 0.35, "first": 0.008}  # free tasting sets before a first order


@dataclass(frozen=True)
class Draft:
    """An order before it has a number."""

    buyer: int | None
    placed_at: datetime
    purpose: str
    channel: str
    basket: list[tuple[Item, int]]
    discount: Decimal
    country: str


def drafts_of(random: np.random.Generator, number: int, life: Life, person: Person, calendar: Calendar) -> list[Draft]:
    """All orders of one person, and the tasting set that some got before the first."""
    taste = Taste(random, life)
    done = [draft(random, number, life, person, taste, visit, calendar) for visit in life.visits]
    if dice.happens(random, SAMPLES.get(life.visits[0].purpose, 0.0)):
        earlier = calendar.day(life.visits[0].day) - timedelta(days=int(random.integers(4, 12)))
        if earlier >= calendar.opened_on:
            at = seasons.moment(random, seasons.working_day(earlier, calendar.until), "office")
            basket = baskets.fill(random, "sample", taste, at.date())
            done.append(Draft(number, at, "sample", life.channel, basket, NOTHING, person.country))
    return done


def draft(
    random: np.random.Generator, number: int, life: Life, person: Person, taste: Taste, visit: Visit, calendar: Calendar
) -> Draft:
    is_first = visit is life.visits[0]
    channel = life.channel if is_first else later_channel(random, life, visit)
    at = time_of(random, visit, channel, calendar)
    return Draft(
        buyer=number,
        placed_at=at,
        purpose=visit.purpose,
        channel=channel,
        basket=baskets.fill(random, visit.purpose, taste, at.date()),
        discount=discount(random, visit, channel, at.date(), is_first=is_first),
        country=person.country,
    )


def later_channel(random: np.random.Generator, life: Life, visit: Visit) -> str:
    """Most come back the way they came, some by the newsletter or by searching for the shop."""
    if visit.comeback:
        return "newsletter"
    return dice.weighted(random, [(life.channel, 62.0), ("newsletter", 24.0), ("organic search", 14.0)])


def time_of(random: np.random.Generator, visit: Visit, channel: str, calendar: Calendar) -> datetime:
    day = calendar.day(visit.day)
    if channel == "shop":
        return seasons.moment(random, seasons.open_day(day, calendar.until), "shop")
    if visit.purpose == "wholesale":
        return seasons.moment(random, seasons.working_day(day, calendar.until), "office")
    return seasons.moment(random, day, "online")


def discount(random: np.random.Generator, visit: Visit, channel: str, day: date, *, is_first: bool) -> Decimal:
    """The rate on the whole basket."""
    if visit.purpose in ("wholesale", "subscription"):
        return TRADE if visit.purpose == "wholesale" else SUBSCRIBED
    if seasons.is_sale(day) and channel != "marketplace":
        return SALE
    if visit.comeback and dice.happens(random, 0.7):
        return WIN_BACK
    if is_first and dice.happens(random, {"newsletter": 0.8, "referral": 0.6, "social": 0.4}.get(channel, 0.0)):
        return WELCOME
    return WELCOME if channel == "newsletter" and dice.happens(random, 0.12) else NOTHING


def guests(random: np.random.Generator, count: int, calendar: Calendar) -> list[Draft]:
    """Orders of people who did not say who they are."""
    pace = calendar.levels * (1 + np.arange(calendar.length) / 1800)
    days = random.choice(calendar.length, size=count, p=pace / pace.sum())
    return [guest(random, int(day), calendar) for day in days]


def guest(random: np.random.Generator, day: int, calendar: Calendar) -> Draft:
    date_ = calendar.day(day)
    purpose = "gift" if date_.month in (11, 12) and dice.happens(random, 0.4) else "first"
    channel = dice.weighted(random, [("shop", 40.0), ("organic search", 35.0), ("marketplace", 25.0)])
    visit = Visit(day, purpose)
    life = Life(habits.CURIOUS, dice.weighted(random, habits.TASTES), channel, [visit])
    at = time_of(random, visit, channel, calendar)
    basket = baskets.fill(random, purpose, Taste(random, life), at.date())
    country = dice.weighted(random, [("Ireland", 70.0), ("Germany", 30.0)])
    return Draft(None, at, purpose, channel, basket, SALE if seasons.is_sale(date_) else NOTHING, country)


def sale(random: np.random.Generator, number: int, draft: Draft, calendar: Calendar) -> Sale:
    """The order with its lines, delivery and tax, what happened to it, and what came back of it."""
    day = draft.placed_at.date()
    lines = [line(item, quantity, day, draft.discount, calendar) for item, quantity in draft.basket]
    if (delivery := delivery_of(draft, sum((one.net for one in lines), NOTHING))) is not None:
        lines.append(line(delivery, 1, day, NOTHING, calendar))
    status = status_of(random, draft, calendar)
    order_id = f"JO-{10001 + number}"
    return Sale(
        external_id=order_id,
        buyer=draft.buyer,
        placed_at=draft.placed_at,
        status=status,
        channel=draft.channel,
        lines=lines,
        tax=catalogue.cents(sum((one.net * one.item.tax for one in lines), NOTHING)),
        returns=returns(random, order_id, draft.placed_at, lines, calendar) if status == "paid" else [],
    )


def line(item: Item, quantity: int, day: date, rate: Decimal, calendar: Calendar) -> Line:
    price = catalogue.price_on(item, day, calendar.opened_on)
    cost = catalogue.cost_on(item, day, calendar.opened_on)
    return Line(item, quantity, price, cost, catalogue.cents(price * quantity * rate))


def delivery_of(draft: Draft, goods: Decimal) -> Item | None:
    """The delivery that is charged: none in the shop in town, to firms, with samples, or above a sum."""
    if draft.channel == "shop" or draft.purpose in ("wholesale", "sample", "subscription"):
        return None
    if goods >= FREE_DELIVERY.get(draft.country, FREE_DELIVERY_ABROAD):
        return None
    return catalogue.DELIVERIES["ie" if draft.country == "Ireland" else "eu"]


def status_of(random: np.random.Generator, draft: Draft, calendar: Calendar) -> str:
    """Orders of the last days may wait for their payment; a few were cancelled."""
    waits = PENDING.get(draft.purpose, PENDING_OTHERWISE)
    age = (calendar.until - draft.placed_at.date()).days
    if draft.channel == "shop" or draft.purpose == "sample":
        return "paid"
    if age < PENDING_DAYS and dice.happens(random, waits):
        return "pending"
    return "cancelled" if dice.happens(random, CANCELLED) else "paid"
