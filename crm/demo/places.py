"""Where the shop delivers, who lives there, and telephone numbers that belong to nobody.

The numbers lie in ranges that regulators keep free for films and books: Ofcom (UK), ComReg (Ireland), Bundesnetzagentur
(Germany), Arcep (France), PTS (Sweden). Other countries have none, so their people left no number.
"""

from typing import NamedTuple

from crm.demo import names
from crm.demo.names import Names


class Phones(NamedTuple):
    prefix: str
    first: int
    last: int


class Country(NamedTuple):
    name: str
    code: str  # top-level domain and ISO 3166 code, in lower case
    weight: float
    locale: str
    time_zone: str
    cities: list[tuple[str, float]]
    people: list[tuple[Names, float]]
    phones: list[Phones]


COUNTRIES = [
    Country(
        "Ireland", "ie", 46, "en-IE", "Europe/Dublin",
        [("Dublin", 46), ("Cork", 13), ("Galway", 9), ("Limerick", 6), ("Waterford", 4), ("Kilkenny", 4), ("Sligo", 3),
         ("Dún Laoghaire", 6), ("Bray", 4), ("Drogheda", 3), ("Athlone", 2), ("Wexford", 2), ("Ennis", 2),
         ("Tralee", 2)],
        [(names.IRISH, 78), (names.POLISH, 6), (names.ENGLISH, 5), (names.PORTUGUESE, 4), (names.INDIAN, 3),
         (names.NIGERIAN, 2), (names.CHINESE, 1), (names.SPANISH, 1)],
        [Phones("+35320910", 1000, 9999)],
    ),
    Country(
        "United Kingdom", "uk", 13, "en-GB", "Europe/London",
        [("London", 30), ("Belfast", 15), ("Manchester", 10), ("Edinburgh", 9), ("Glasgow", 8), ("Bristol", 8),
         ("Leeds", 6), ("Cardiff", 5), ("Brighton", 5), ("Liverpool", 4)],
        [(names.ENGLISH, 76), (names.INDIAN, 8), (names.IRISH, 6), (names.NIGERIAN, 4), (names.POLISH, 4),
         (names.CHINESE, 2)],
        [Phones("+441632960", 100, 999), Phones("+447700900", 100, 999)],
    ),
    Country(
        "Germany", "de", 12, "de-DE", "Europe/Berlin",
        [("Berlin", 28), ("Hamburg", 16), ("München", 14), ("Köln", 12), ("Frankfurt am Main", 8), ("Leipzig", 8),
         ("Freiburg", 5), ("Düsseldorf", 5), ("Nürnberg", 4)],
        [(names.GERMAN, 86), (names.TURKISH, 8), (names.POLISH, 3), (names.ITALIAN, 3)],
        [Phones("+493023125", 100, 999), Phones("+494066969", 100, 999), Phones("+498999998", 100, 999)],
    ),
    Country(
        "France", "fr", 8, "fr-FR", "Europe/Paris",
        [("Paris", 34), ("Lyon", 14), ("Nantes", 9), ("Rennes", 9), ("Bordeaux", 9), ("Marseille", 8), ("Lille", 7),
         ("Besançon", 4), ("Orléans", 4)],
        [(names.FRENCH, 92), (names.PORTUGUESE, 5), (names.SPANISH, 3)],
        [Phones("+3363998", 1000, 9999), Phones("+3319900", 1000, 9999)],
    ),
    Country(
        "Netherlands", "nl", 6, "nl-NL", "Europe/Amsterdam",
        [("Amsterdam", 34), ("Utrecht", 20), ("Rotterdam", 18), ("Groningen", 10), ("Haarlem", 8), ("Eindhoven", 8)],
        [(names.DUTCH, 90), (names.TURKISH, 6), (names.INDIAN, 4)],
        [],
    ),
    Country(
        "Poland", "pl", 5, "pl-PL", "Europe/Warsaw",
        [("Warszawa", 32), ("Kraków", 22), ("Łódź", 14), ("Wrocław", 14), ("Gdańsk", 12), ("Poznań", 10)],
        [(names.POLISH, 100)],
        [],
    ),
    Country(
        "Spain", "es", 4, "es-ES", "Europe/Madrid",
        [("Madrid", 32), ("Barcelona", 28), ("València", 12), ("Sevilla", 9), ("Bilbao", 9), ("A Coruña", 5),
         ("Málaga", 5)],
        [(names.SPANISH, 100)],
        [],
    ),
    Country(
        "Italy", "it", 3, "it-IT", "Europe/Rome",
        [("Milano", 34), ("Roma", 24), ("Torino", 14), ("Bologna", 14), ("Firenze", 8), ("Forlì", 3)],
        [(names.ITALIAN, 100)],
        [],
    ),
    Country(
        "Portugal", "pt", 2, "pt-PT", "Europe/Lisbon",
        [("Lisboa", 48), ("Porto", 32), ("Coimbra", 8), ("Évora", 6), ("Guimarães", 6)],
        [(names.PORTUGUESE, 100)],
        [],
    ),
    Country(
        "Sweden", "se", 2, "sv-SE", "Europe/Stockholm",
        [("Stockholm", 44), ("Göteborg", 26), ("Malmö", 20), ("Umeå", 5), ("Västerås", 5)],
        [(names.SWEDISH, 100)],
        [Phones("+467017406", 10, 99)],
    ),
    Country(
        "Czechia", "cz", 1.5, "cs-CZ", "Europe/Prague",
        [("Praha", 60), ("Brno", 26), ("Olomouc", 8), ("Plzeň", 6)],
        [(names.CZECH, 100)],
        [],
    ),
]  # fmt: skip
