"""A postal address as customers have it, and as one text on its way through an import of orders. Pure."""

from typing import Final, NamedTuple

LONGEST_STREET: Final = 200
LONGEST_POSTCODE: Final = 20
LONGEST_REGION: Final = 80
DIVIDER: Final = "\x1f"  # names from files never hold it: it counts as white space


class Place(NamedTuple):
    """`street` has the number and the flat, too; `country` is a name or two letters, as it was told."""

    street: str = ""
    postcode: str = ""
    city: str = ""
    region: str = ""
    country: str = ""

    @property
    def lines(self) -> list[str]:
        """As on a letter."""
        town = " ".join(filter(None, (self.postcode, self.city)))
        return [line for line in (self.street, town, self.region, self.country) if line]


NOWHERE: Final = Place()


def packed(place: Place) -> str:
    """Street, postcode, city and region in one text; "" without a street. An order's row carries the country itself."""
    return DIVIDER.join(place[:4]) if place.street else ""
