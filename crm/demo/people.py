"""Who the customers are. Every e-mail lies in a domain that is kept free for examples (RFC 2606)."""

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

import numpy as np

from crm.demo import dice, habits, names, streets
from crm.demo.facts import Firm, Person
from crm.demo.lives import Life
from crm.demo.names import Names
from crm.demo.places import COUNTRIES, Country
from crm.demo.seasons import Calendar

DOMAINS: Final = [("example.com", 74.0), ("example.org", 14.0), ("example.net", 12.0)]
LETTERS: Final = str.maketrans(
    {
        "ł": "l",
        "Ł": "L",
        "ß": "ss",
        "ø": "o",
        "ı": "i",
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "Ä": "Ae",
        "Ö": "Oe",
        "Ü": "Ue",
    }
)
HAS_PHONE, SECOND_EMAIL, DOUBLE_NAME = 0.62, 0.04, 0.03
CODES: Final = {country.name: country.code for country in COUNTRIES}

FIRM_WORDS: Final = names.words(
    "Harbour Lantern Copper Willow Canal Meadow Quayside Granary Fig_&_Thyme Lighthouse Linden Bluebell Foxglove "
    "Kettle Marble Northside Old_Mill Orchard Parlour Pigeon_House Poppyseed Rookery Saltwater Seven_Stones "
    "Silver_Birch Sparrow Station Tannery Three_Arches Turnstile Wharf Woodpigeon Yellow_Door Half_Moon Beech "
    "Almond Ivy Heron"
)
FIRM_KINDS: Final = [
    ("{} Café", 30.0), ("{} Bakery", 14.0), ("Hotel {}", 10.0), ("{} Coworking", 9.0), ("{} Bookshop", 6.0),
    ("{} Studios", 8.0), ("{} Dental", 4.0), ("The {} Kitchen", 10.0), ("{} & Partners", 5.0), ("{} Yoga", 4.0),
]  # fmt: skip


def people(lives: list[Life], *, calendar: Calendar, seed: int) -> list[Person]:
    """One person for each life, in the same order."""
    random = dice.stream(seed, "people")
    taken: dict[str, int] = {}
    firms: list[tuple[Firm, Country, str]] = []
    found = [person(random, number, life, calendar, taken, firms) for number, life in enumerate(lives)]
    return twice(at_home(found, seed=seed))


def at_home(found: Sequence[Person], *, seed: int) -> list[Person]:
    """With an address, but for who came to the shop. A firm's contacts sit in one house, a number rings once.

    From dice of their own, so that everything else stays as it is.
    """
    random, houses = dice.stream(seed, "addresses"), dict[str, tuple[str, str]]()
    numbers, boxes = set[str](), set[str]()
    moved = []
    for one in found:
        new = streets.home(random, country=CODES[one.country], city=one.city)
        if one.firm:
            new = houses.setdefault(one.firm.external_id, new)
        street, postcode = ("", "") if one.channel == "shop" and not one.firm else new
        phone = "" if one.phone in numbers else one.phone
        numbers.add(one.phone)
        emails = [own(email, boxes) for email in one.emails]
        moved.append(replace(one, emails=emails, street=street, postcode=postcode, phone=phone))
    return moved


def own(email: str, boxes: set[str]) -> str:
    """The address, with a number where somebody has the mailbox: points in the name do not tell two apart."""
    local, domain = email.split("@")
    names = (f"{local}{number or ''}" for number in range(len(boxes) + 1))
    found = next(name for name in names if f"{name.replace('.', '')}@{domain}" not in boxes)
    boxes.add(f"{found.replace('.', '')}@{domain}")
    return f"{found}@{domain}"


def twice(found: list[Person]) -> list[Person]:
    """Somebody forgot that they have an account: one of the last to come has the name, house and number of another."""
    known = [one for one in found[: len(found) // 2] if one.street and one.phone and not one.firm]
    again = [place for place, one in enumerate(found) if place > len(found) * 2 // 3 and not one.firm and one.street]
    if known and again:
        first, place = known[len(known) // 2], again[len(again) // 2]
        told = ("name", "phone", "street", "postcode", "city", "country", "locale", "time_zone")
        emails = [f"again.{first.emails[0]}"]  # nobody's yet: no name begins so
        found[place] = replace(found[place], emails=emails, **{name: getattr(first, name) for name in told})
    return found


def person(
    random: np.random.Generator,
    number: int,
    life: Life,
    calendar: Calendar,
    taken: dict[str, int],
    firms: list[tuple[Firm, Country, str]],
) -> Person:
    country = dice.weighted(random, [(c, c.weight) for c in COUNTRIES])
    if life.channel == "shop":
        country = COUNTRIES[0]
    city = "Dublin" if life.channel == "shop" else dice.weighted(random, country.cities)
    firm = None
    if life.habit is habits.BUSINESS:
        firm, country, city = firm_of(random, country, city, calendar.day(life.visits[0].day), firms)
    first, family = full_name(random, dice.weighted(random, country.people))
    emails = [address(random, first, family, taken)]
    if dice.happens(random, SECOND_EMAIL):
        emails.append(address(random, first, family, taken))
    return Person(
        external_id=f"C{10001 + number}",
        name=f"{first} {family}",
        emails=emails,
        phone=phone(random, country),
        street="",
        postcode="",
        city=city,
        country=country.name,
        locale=country.locale,
        time_zone=country.time_zone,
        channel=life.channel,
        firm=firm,
    )


def full_name(random: np.random.Generator, culture: Names) -> tuple[str, str]:
    woman = dice.happens(random, 0.54)
    first = dice.one(random, culture.women if woman else culture.men)
    families = culture.family_of_women if woman and culture.family_of_women else culture.family
    family = frequent(random, families)
    if culture in (names.SPANISH, names.PORTUGUESE) and dice.happens(random, 0.35):
        family = f"{family} {frequent(random, families)}"
    elif dice.happens(random, DOUBLE_NAME) and " " not in family:
        family = f"{family}-{dice.one(random, families)}"
    return first, family


def frequent(random: np.random.Generator, families: list[str]) -> str:
    """A family name; those that stand first in the list are more frequent."""
    return families[int(len(families) * random.random() ** 1.35)]


def ascii_letters(text: str) -> str:
    """`Łukasz O’Néill` is `lukaszoneill`, `Müller` is `mueller`."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", text).translate(LETTERS))
    return "".join(letter for letter in plain if letter.isascii() and letter.isalnum()).lower()


def address(random: np.random.Generator, first: str, family: str, taken: dict[str, int]) -> str:
    """An e-mail that nobody else has; a number after the name where two would share one."""
    given, last = ascii_letters(first), ascii_letters(family)
    local = dice.weighted(
        random,
        [
            (f"{given}.{last}", 46.0), (f"{given[0]}.{last}", 12.0), (f"{given}{last}", 12.0), (f"{given}_{last}", 5.0),
            (f"{last}.{given}", 6.0), (f"{given}.{last}{random.integers(61, 99)}", 10.0),
            (f"{given}{random.integers(1, 99)}", 5.0), (f"hello.{given}", 2.0),
        ],
    )  # fmt: skip
    email = f"{local}@{dice.weighted(random, DOMAINS)}"
    taken[email] = taken.get(email, 0) + 1
    return email if taken[email] == 1 else address(random, first, f"{family}{taken[email]}", taken)


def phone(random: np.random.Generator, country: Country) -> str:
    if not country.phones or not dice.happens(random, HAS_PHONE):
        return ""
    numbers = dice.one(random, country.phones)
    return f"{numbers.prefix}{random.integers(numbers.first, numbers.last + 1)}"


def firm_of(
    random: np.random.Generator, country: Country, city: str, since: date, firms: list[tuple[Firm, Country, str]]
) -> tuple[Firm, Country, str]:
    """A new firm, or in a quarter of all cases one that is already a customer: its second contact."""
    if firms and dice.happens(random, 0.25):
        return dice.one(random, firms)
    name = firm_name(random, city, {firm.name for firm, _, _ in firms})
    firm = Firm(
        external_id=f"B{101 + len(firms)}",
        name=name,
        tax_number=f"DEMO-{country.code.upper()}-{random.integers(100000, 999999)}",
        payment_terms_days=dice.weighted(random, [(14, 40.0), (30, 60.0)]),
        contract_starts_on=since,
        contract_ends_on=since + timedelta(days=365 * int(random.integers(1, 4)) - 1),
    )
    firms.append((firm, country, city))
    return firms[-1]


def firm_name(random: np.random.Generator, city: str, used: set[str]) -> str:
    name = dice.weighted(random, FIRM_KINDS).format(dice.one(random, FIRM_WORDS))
    return name if name not in used else f"{name}, {city} {len(used) + 1}"
