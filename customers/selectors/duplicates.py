"""Customers who are likely one person: the same mailbox, the same number, or the same name at one place.

Nothing is kept of this: each page reads the groups that follow a key, in the order of an index, and stops when it is
full. At most a whole index is read, where hardly anybody is twice.
"""

import base64
import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from django.db import connection
from django.db.models import Count, Max
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers.models import Company, Customer, Email, Order
from customers.selectors import apart

GROUPS: Final = 20
SHOWN: Final = 5  # of a group: a shared mailbox may have hundreds

NOTHING: Final = "''::text"

KEYS: Final = """
SELECT {one}, {two} FROM {rows} WHERE {about} AND {after} GROUP BY {one}, {two} HAVING {several}
ORDER BY {one}, {two} LIMIT {most}"""
MEMBERS: Final = """
SELECT DISTINCT {one}, {two}, c.id FROM unnest(%(ones)s::text[], %(twos)s::text[]) AS wanted (one, two)
JOIN {rows} ON {one} = wanted.one AND {two}::text = wanted.two
{people} WHERE {about} AND c.archived_at IS NULL AND {named} ORDER BY 3"""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """In what two are alike. Parts of SQL: what is compared, where it stands, and which rows count."""

    label: str | Promise
    one: str
    two: str = NOTHING
    rows: str = "customers_customer c"
    about: str = "c.archived_at IS NULL"
    people: str = ""
    named: str = "c.name <> ''"
    several: str = "count(*) > 1"

    def sql(self, statement: str) -> str:
        """The first page begins at the beginning."""
        after = f"({self.one}, {self.two}) > (%(one)s, %(two)s)" if self.two != NOTHING else f"{self.one} > %(one)s"
        return statement.format(
            one=self.one,
            two=self.two,
            rows=self.rows,
            about=self.about,
            people=self.people,
            named=self.named,
            several=self.several,
            after=after,
            most=GROUPS + 1,
        )


KINDS: Final[Mapping[str, Kind]] = {
    "email": Kind(
        label=_("Same mailbox"),
        one="perennial_mailbox(e.address)",
        rows="customers_email e",
        about="perennial_mailbox(e.address) > '@'",
        people="JOIN customers_customer c ON c.id = e.customer_id",
        named="true",
        several="min(e.customer_id) < max(e.customer_id)",
    ),
    "phone": Kind(
        label=_("Same phone"),
        one="p.number",
        rows="customers_phone p",
        about="true",
        people="JOIN customers_customer c ON c.id = p.customer_id",
        named="true",
    ),
    "postcode": Kind(
        label=_("Same name and postcode"),
        one="c.sort_name",
        two="c.postcode",
        about="c.archived_at IS NULL AND c.postcode <> ''",
    ),
    "company": Kind(
        label=_("Same name and company"),
        one="c.sort_name",
        two="c.company_id",
        about="c.archived_at IS NULL AND c.company_id IS NOT NULL",
    ),
}
Key = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Likely:
    """One of a group, with what helps to tell whether it is the same person."""

    customer: Customer
    emails: Sequence[str]
    orders: int
    last_on: date | None
    beside: Customer | None = None  # whom to compare with: the first of whom nobody said that they are two people


@dataclass(frozen=True, kw_only=True)
class Group:
    """Those who are alike in `text`; who has bought most often comes first. `more` are not shown."""

    text: str
    members: Sequence[Likely]
    more: int


@dataclass(frozen=True, kw_only=True)
class Page:
    groups: Sequence[Group]
    following: str  # the cursor of the next page; empty at the end


def page(*, kind: str, cursor: str = "") -> Page:
    """Seven queries. A cursor that cannot be read begins at the beginning."""
    found = _keys(KINDS[kind], _read(cursor))
    keys = found[:GROUPS]
    alike = _members(KINDS[kind], keys)
    pairs = apart.among({pk for ids in alike.values() for pk in ids})
    members = {key: ids for key, own in alike.items() if (ids := _open(own, pairs))}
    people = _people([pk for ids in members.values() for pk in ids[:SHOWN]])
    texts = _texts(kind, keys)
    groups = [
        Group(
            text=texts[key],
            members=_in_order([people[pk] for pk in members[key][:SHOWN]], pairs),
            more=len(members[key][SHOWN:]),
        )
        for key in keys
        if key in members
    ]
    return Page(groups=groups, following=_write(keys[-1]) if len(found) > GROUPS else "")


def _open(ids: Sequence[int], pairs: Collection[frozenset[int]]) -> list[int]:
    """Of a group those who may still be one person with somebody else of it."""
    return [pk for pk in ids if any(pk != other and frozenset((pk, other)) not in pairs for other in ids)]


def _in_order(members: Sequence[Likely], pairs: Collection[frozenset[int]]) -> list[Likely]:
    """Who has bought most often comes first: the others are compared with that one."""
    ordered = sorted(members, key=lambda one: (-one.orders, one.customer.pk))
    return [
        replace(one, beside=_beside(one.customer, [before.customer for before in ordered[:place]], pairs))
        for place, one in enumerate(ordered)
    ]


def _beside(one: Customer, earlier: Sequence[Customer], pairs: Collection[frozenset[int]]) -> Customer | None:
    return next((other for other in earlier if frozenset((one.pk, other.pk)) not in pairs), None)


def _keys(kind: Kind, after: Key) -> list[Key]:
    params: dict[str, Any] = {"one": after[0], "two": after[1]}
    if kind.two.endswith("_id"):
        params["two"] = int(after[1]) if after[1].isdecimal() else 0
    with connection.cursor() as cursor:
        cursor.execute(kind.sql(KEYS), params)
        return [(one, str(two)) for one, two in cursor.fetchall()]


def _members(kind: Kind, keys: Sequence[Key]) -> dict[Key, list[int]]:
    found: defaultdict[Key, list[int]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(kind.sql(MEMBERS), {"ones": [one for one, _two in keys], "twos": [two for _one, two in keys]})
        for one, two, pk in cursor.fetchall():
            found[one, str(two)].append(pk)
    return found


def _people(ids: Sequence[int]) -> dict[int, Likely]:
    emails: defaultdict[int, list[str]] = defaultdict(list)
    for pk, address in Email.objects.filter(customer__in=ids).order_by("pk").values_list("customer_id", "address"):
        emails[pk].append(address)
    rows = Order.objects.filter(customer__in=ids).order_by().values_list("customer_id")
    orders = {pk: (count, last) for pk, count, last in rows.annotate(Count("pk"), Max("placed_on"))}
    return {
        pk: Likely(
            customer=customer,
            emails=emails[pk],
            orders=orders.get(pk, (0, None))[0],
            last_on=orders.get(pk, (0, None))[1],
        )
        for pk, customer in Customer.objects.select_related("company").in_bulk(ids).items()
    }


def _texts(kind: str, keys: Sequence[Key]) -> dict[Key, str]:
    """What those of a group have in common, as people read it."""
    names = {key: key[1] for key in keys}
    if kind == "company":
        known = Company.objects.in_bulk([int(two) for _one, two in keys])
        names = {key: str(known[int(key[1])]) for key in keys}
    return {key: ", ".join(filter(None, (key[0], names[key]))) for key in keys}


def _write(key: Key) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def _read(text: str) -> Key:
    try:
        one, two = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, TypeError):
        return "", ""
    is_key = isinstance(one, str) and isinstance(two, str)
    return (one.replace("\0", ""), two.replace("\0", "")) if is_key else ("", "")
