"""Where people live: streets that every town has, and postcodes of the right town that no house has.

In Ireland and the United Kingdom a postcode is a few doors, so their last letters are ones that no postcode uses
(Eircode has no Z; Royal Mail's inward codes have no C and no V). Elsewhere a postcode is a quarter of a town.
"""

from typing import Final, NamedTuple

import numpy as np

from crm.demo import dice
from crm.demo.names import words


class Streets(NamedTuple):
    form: str  # how a street and a number are written
    names: list[str]


ENGLISH: Final = Streets(
    "{number} {street}",
    words(
        "Main_Street Church_Road Mill_Lane Station_Road Chapel_Street The_Green Bridge_Street Orchard_Close "
        "Park_Avenue Hawthorn_Drive Sycamore_Road Harbour_View Castle_Street Meadow_Court Quay_Street Abbey_Terrace"
    ),
)
STREETS: Final = {
    "ie": ENGLISH,
    "uk": ENGLISH,
    "de": Streets(
        "{street} {number}",
        words(
            "Hauptstraße Schulstraße Gartenstraße Bahnhofstraße Lindenstraße Bergstraße Kirchgasse Birkenweg Rosenweg "
            "Mühlenweg Am_Markt Goethestraße"
        ),
    ),
    "fr": Streets(
        "{number} {street}",
        words(
            "rue_de_l’Église rue_des_Lilas rue_du_Moulin rue_de_la_Gare place_de_la_Mairie rue_des_Écoles "
            "rue_Victor-Hugo chemin_des_Vignes avenue_Pasteur"
        ),
    ),
    "nl": Streets("{street} {number}", words("Kerkstraat Dorpsstraat Molenweg Schoolstraat Julianastraat Nieuwstraat")),
    "pl": Streets("ul. {street} {number}", words("Polna Leśna Słoneczna Krótka Szkolna Ogrodowa Lipowa Kwiatowa")),
    "es": Streets("{street}, {number}", words("Calle_Mayor Calle_Real Calle_del_Sol Calle_Nueva Plaza_de_la_Iglesia")),
    "it": Streets("{street} {number}", words("Via_Roma Via_Garibaldi Via_Mazzini Via_Verdi Via_Dante Corso_Cavour")),
    "pt": Streets("{street} {number}", words("Rua_Direita Rua_da_Igreja Rua_Nova Rua_do_Sol Rua_das_Flores")),
    "se": Streets("{street} {number}", words("Storgatan Kyrkogatan Skolgatan Björkvägen Ringvägen Parkgatan")),
    "cz": Streets("{street} {number}", words("Zahradní Školní Nádražní Lípová Polní Komenského")),
}
# "#" is a digit from 1, the rest stands as it is. By town; a country's own where a town is not named.
POSTCODES: Final = {
    "Dublin": "D0# Z###", "Cork": "T12 Z###", "Galway": "H91 Z###", "Limerick": "V94 Z###", "Waterford": "X91 Z###",
    "Kilkenny": "R95 Z###", "Sligo": "F91 Z###", "Dún Laoghaire": "A96 Z###", "Bray": "A98 Z###",
    "Drogheda": "A92 Z###", "Athlone": "N37 Z###", "Wexford": "Y35 Z###", "Ennis": "V95 Z###", "Tralee": "V92 Z###",
    "London": "E# #CV", "Belfast": "BT# #CV", "Manchester": "M# #CV", "Edinburgh": "EH# #CV", "Glasgow": "G# #CV",
    "Bristol": "BS# #CV", "Leeds": "LS# #CV", "Cardiff": "CF# #CV", "Brighton": "BN# #CV", "Liverpool": "L# #CV",
    "Berlin": "10#79", "Hamburg": "20#57", "München": "80#39", "Köln": "50#33", "Frankfurt am Main": "60#89",
    "Leipzig": "04#77", "Freiburg": "79#00", "Düsseldorf": "40#21", "Nürnberg": "90#03",
    "Paris": "7501#", "Lyon": "6900#", "Nantes": "44#00", "Rennes": "35#00", "Bordeaux": "33#00", "Marseille": "1300#",
    "Lille": "59#00", "Besançon": "25000", "Orléans": "45000",
    "Amsterdam": "101# AB", "Utrecht": "351# GB", "Rotterdam": "301# CA", "Groningen": "971# JK", "Haarlem": "201# DD",
    "Eindhoven": "561# AL",
    "Warszawa": "0#-500", "Kraków": "3#-100", "Łódź": "9#-300", "Wrocław": "5#-200", "Gdańsk": "80-#00",
    "Poznań": "6#-700",
    "Madrid": "2800#", "Barcelona": "0800#", "València": "4600#", "Sevilla": "4100#", "Bilbao": "4800#",
    "A Coruña": "1500#", "Málaga": "2900#",
    "Milano": "2012#", "Roma": "0018#", "Torino": "1012#", "Bologna": "4012#", "Firenze": "5012#", "Forlì": "47121",
    "Lisboa": "1#00-012", "Porto": "4#00-021", "Coimbra": "3000-0#1", "Évora": "7000-5#1", "Guimarães": "4800-0#1",
    "Stockholm": "11# 40", "Göteborg": "41# 10", "Malmö": "21# 20", "Umeå": "90# 30", "Västerås": "72# 10",
    "Praha": "1#0 00", "Brno": "6#2 00", "Olomouc": "77# 00", "Plzeň": "30# 00",
}  # fmt: skip


def home(random: np.random.Generator, *, country: str, city: str) -> tuple[str, str]:
    """A street with a number, and a postcode."""
    streets = STREETS[country]
    street, number = dice.one(random, streets.names), int(1 + 90 * random.random() ** 2)
    return streets.form.format(street=street, number=number), postcode(random, city)


def postcode(random: np.random.Generator, city: str) -> str:
    return "".join(str(random.integers(1, 10)) if sign == "#" else sign for sign in POSTCODES[city])
