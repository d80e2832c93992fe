"""The whole shop from a seed: the same people, products and orders on every machine."""

from datetime import date, timedelta

from crm.demo import deals, dice, lives, people, sales
from crm.demo.catalogue import ITEMS
from crm.demo.facts import Sale, Shop
from crm.demo.sales import Draft
from crm.demo.seasons import Calendar


def build(*, customers: int, years: int, seed: int, until: date) -> Shop:
    """A shop that opened `years` before `until`, its last day, and has won that many customers since."""
    calendar = Calendar(opening(until, years), until)
    lived = lives.lives(customers=customers, calendar=calendar, seed=seed)
    persons = people.people(lived, calendar=calendar, seed=seed)
    random = dice.stream(seed, "orders")
    drafts = [
        draft
        for number, (life, person) in enumerate(zip(lived, persons, strict=True))
        for draft in sales.drafts_of(random, number, life, person, calendar)
    ]
    drafts += sales.guests(random, round(len(drafts) * sales.GUESTS), calendar)
    agreed = deals.deals(persons, until=until, seed=seed)
    return Shop(persons, ITEMS, numbered(drafts, calendar, seed), calendar.opened_on, until, agreed)


def opening(until: date, years: int) -> date:
    """The day after the same date so many years before, so that the years are whole."""
    after = until + timedelta(days=1)
    return date(after.year - years, after.month, 1) + timedelta(days=after.day - 1)


def numbered(drafts: list[Draft], calendar: Calendar, seed: int) -> list[Sale]:
    """Orders in the order of their times, numbered so; none beyond the last day."""
    random = dice.stream(seed, "fates")
    kept = [draft for draft in drafts if draft.placed_at.date() <= calendar.until]
    kept.sort(key=lambda draft: (draft.placed_at, -1 if draft.buyer is None else draft.buyer, draft.purpose))
    return [sales.sale(random, number, draft, calendar) for number, draft in enumerate(kept)]
