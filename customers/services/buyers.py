"""The people whom orders name: found by their identity, made where they are new, and completed.

As in an import: an order fills in what is not known of a customer and overwrites nothing. Each statement works on all
of them at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db import connection

from customers.places import NOWHERE, Place
from customers.services import people_lock, search
from customers.services.merging import FILLED_IN, SAYS_MORE

Key = tuple[str, str]  # source, external id


@dataclass(frozen=True, kw_only=True, slots=True)
class Buyer:
    """A customer as a system outside calls them, and what it says of them. `channel` is kept of a new one only."""

    source: str
    external_id: str
    name: str = ""
    email: str = ""  # in lower case
    phone: str = ""  # E.164
    channel: str = ""
    place: Place = NOWHERE

    @property
    def key(self) -> Key:
        return self.source, self.external_id


@dataclass(frozen=True, slots=True)
class Known:
    customer_id: int
    name: str
    street: str
    country: str
    emails: Sequence[str] = ()
    phones: Sequence[str] = ()


FIND: Final = """
SELECT i.source, i.external_id, c.id, c.name, c.street, c.country,
    ARRAY(SELECT address FROM customers_email e WHERE e.customer_id = c.id),
    ARRAY(SELECT number FROM customers_phone p WHERE p.customer_id = c.id)
FROM unnest(%(sources)s::text[], %(ids)s::text[]) AS wanted (source, external_id)
JOIN customers_identity i ON i.source = wanted.source AND i.external_id = wanted.external_id
JOIN customers_customer c ON c.id = i.customer_id"""

PARTS: Final = ", ".join(Place._fields)
PLACES: Final = ", ".join(f"%({name})s::text[]" for name in Place._fields)

# The identity comes first: of two who name the same person at once, one waits here and then finds the other's.
MAKE: Final = f"""
WITH told AS MATERIALIZED (
    SELECT *, nextval(pg_get_serial_sequence('customers_customer', 'id')) AS id FROM unnest(%(sources)s::text[],
        %(ids)s::text[], %(names)s::text[], %(emails)s::text[], %(phones)s::text[], %(channels)s::text[], {PLACES}
    ) AS told (source, external_id, name, email, phone, channel, {PARTS}) ORDER BY source, external_id
), named AS (
    INSERT INTO customers_identity (customer_id, source, external_id) SELECT id, source, external_id FROM told
    ON CONFLICT DO NOTHING RETURNING customer_id, source, external_id
), made AS (
    INSERT INTO customers_customer (id, name, channel, {PARTS}, locale, time_zone, sort_name, search, created_at)
    SELECT told.id, told.name, told.channel, {PARTS}, '', '', {search.SORT_NAME_OF_NEW}, {search.SEARCH_OF_NEW}, now()
    FROM told JOIN named ON named.customer_id = told.id
), address AS (
    INSERT INTO customers_email (customer_id, address)
    SELECT told.id, told.email FROM told JOIN named ON named.customer_id = told.id WHERE told.email <> ''
), number AS (
    INSERT INTO customers_phone (customer_id, number)
    SELECT told.id, told.phone FROM told JOIN named ON named.customer_id = told.id WHERE told.phone <> ''
)
SELECT source, external_id, customer_id FROM named"""

COMPLETE: Final = f"""
WITH address AS (
    INSERT INTO customers_email (customer_id, address)
    SELECT DISTINCT id, email FROM unnest(%(customers)s::bigint[], %(emails)s::text[]) AS told (id, email)
    WHERE email <> '' ORDER BY id, email ON CONFLICT DO NOTHING
), number AS (
    INSERT INTO customers_phone (customer_id, number)
    SELECT DISTINCT id, phone FROM unnest(%(customers)s::bigint[], %(phones)s::text[]) AS told (id, phone)
    WHERE phone <> '' ORDER BY id, phone ON CONFLICT DO NOTHING
)
UPDATE customers_customer c SET {FILLED_IN}
FROM unnest(%(customers)s::bigint[], %(names)s::text[], {PLACES}) AS told (id, name, {PARTS})
WHERE c.id = told.id AND {SAYS_MORE}"""


def settle(*, buyers: Sequence[Buyer]) -> Mapping[Key, int]:
    """The customer of each buyer. Call it in a transaction; of several names for one customer the first counts."""
    people_lock.writing()
    known = _find({buyer.key for buyer in buyers})
    if missing := {buyer.key: buyer for buyer in reversed(buyers) if buyer.key not in known}:
        names, places = _names(buyers), _places(buyers)
        known |= _make([replace(buyer, name=names.get(key, ""), place=places[key]) for key, buyer in missing.items()])
        known |= _find(set(missing) - set(known))
    _complete([buyer for buyer in buyers if _says_more(buyer, known[buyer.key])], known)
    return {key: found.customer_id for key, found in known.items()}


def _names(buyers: Sequence[Buyer]) -> dict[Key, str]:
    return {buyer.key: buyer.name for buyer in reversed(buyers) if buyer.name}


def _places(buyers: Sequence[Buyer]) -> dict[Key, Place]:
    """The first that says most."""
    found: dict[Key, Place] = {}
    for buyer in sorted(buyers, key=lambda buyer: (not buyer.place.street, not buyer.place.country)):
        found.setdefault(buyer.key, buyer.place)
    return found


def _says_more(buyer: Buyer, known: Known) -> bool:
    return bool(
        (buyer.name and not known.name)
        or (buyer.email and buyer.email not in known.emails)
        or (buyer.phone and buyer.phone not in known.phones)
        or (buyer.place.street and not known.street)
        or (buyer.place.country and not known.country)
    )


def _find(keys: Iterable[Key]) -> dict[Key, Known]:
    wanted = sorted(keys)
    if not wanted:
        return {}
    params = {"sources": [source for source, _ in wanted], "ids": [external_id for _, external_id in wanted]}
    return {(source, external_id): Known(*known) for source, external_id, *known in _rows(FIND, params)}


def _make(missing: Sequence[Buyer]) -> dict[Key, Known]:
    """Those of `missing` whom nobody made at the same time."""
    params = {
        "sources": [buyer.source for buyer in missing],
        "ids": [buyer.external_id for buyer in missing],
        "names": [buyer.name for buyer in missing],
        "emails": [buyer.email for buyer in missing],
        "phones": [buyer.phone for buyer in missing],
        "channels": [buyer.channel for buyer in missing],
        **_columns([buyer.place for buyer in missing]),
    }
    by_key = {buyer.key: buyer for buyer in missing}
    made = {}
    for source, external_id, pk in _rows(MAKE, params):
        buyer = by_key[source, external_id]
        made[buyer.key] = Known(pk, buyer.name, buyer.place.street, buyer.place.country, [buyer.email], [buyer.phone])
    return made


def _complete(buyers: Sequence[Buyer], known: Mapping[Key, Known]) -> None:
    if not buyers:
        return
    names, places = _names(buyers), _places(buyers)
    params: dict[str, Any] = {
        "customers": [known[buyer.key].customer_id for buyer in buyers],
        "names": [names.get(buyer.key, "") for buyer in buyers],
        "emails": [buyer.email for buyer in buyers],
        "phones": [buyer.phone for buyer in buyers],
        **_columns([places[buyer.key] for buyer in buyers]),
    }
    with connection.cursor() as cursor:
        cursor.execute(COMPLETE, params)
    search.refresh(customer_ids=set(params["customers"]))


def _columns(places: Sequence[Place]) -> dict[str, list[str]]:
    return {name: [getattr(place, name) for place in places] for name in Place._fields}


def _rows(statement: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return list(cursor.fetchall())
