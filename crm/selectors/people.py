"""The customer list: one page of it, its totals, and who stands before and after a customer in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from django.db.models import BigIntegerField, Count, Exists, ExpressionWrapper, F, OuterRef, QuerySet, Sum
from django.http import QueryDict

from analytics import schemes
from analytics import scores as rfm
from analytics.models import ContractTotal, Score
from core import paging
from core.models import Business, Run
from crm import filters, groups, labels
from customers.models import Customer, Email
from customers.services import custom

PAGE_ROWS: Final = 25
MOST_AT_ONCE: Final = 1_000  # customers that one request may change; more are a job's
FIRST_SORT: Final = "-clv"
# What people can sort by: the score's field. The night makes an index for each (analytics.services.partitions) but the
# last: what orders bring is worked out, and only lists of value at risk are sorted by it.
SORT_FIELDS: Final = {
    "clv": "clv_cents",
    "risk": "churn_risk",
    "value": "value_cents",
    "last": "last_at",
    "orders": "order_clv_cents",
}
ORDER_CLV: Final = ExpressionWrapper(F("clv_cents") - F("contract_cents"), output_field=BigIntegerField())
CHOICES: Final = ("channel", "country")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One customer of the list with what the last night says; `score` is None without an order by then. Then
    `contract_cents` is what her contracts bring within the year; a score has that in its value.
    """

    customer: Customer
    email: str
    score: Score | None
    contract_cents: int = 0

    @property
    def name(self) -> str:
        return str(self.customer)

    @property
    def clv_cents(self) -> int | None:
        """The value within the year, of orders and contracts."""
        return self.score.clv_cents if self.score else self.contract_cents or None

    @property
    def under(self) -> str:
        """What stands below the name: the address, or the company."""
        return self.email or (str(self.customer.company) if self.customer.company else "")

    @property
    def band(self) -> str:
        return labels.band(self.score.churn_band) if self.score else ""

    @property
    def segment(self) -> rfm.Name | None:
        return labels.segment(self.score.segment) if self.score and self.score.segment else None


@dataclass(frozen=True, kw_only=True)
class Query:
    """A filtered and sorted list, not yet read."""

    run: Run | None
    people: filters.PeopleFilter
    scores: filters.ScoreFilter
    sort: str

    @property
    def chosen(self) -> dict[str, list[str]]:
        """What is ticked: the values of each filter that offers choices."""
        data = self.people.data
        named = (*self.people.choices, *self.people.custom, "archived", *self.scores.choices)
        return {name: data.getlist(name) for name in named}

    @property
    def by_schemes(self) -> bool:
        """Whether a scheme besides RFM is in use: its filters are folded away otherwise."""
        return any(self.chosen[scheme.slug] for scheme in self.scores.schemes)

    @property
    def scored_only(self) -> bool:
        return bool(filters.in_use(self.scores))

    @property
    def chosen_people(self) -> QuerySet[Customer]:
        return self.people.qs  # type: ignore[no-any-return]

    @property
    def chosen_scores(self) -> QuerySet[Score]:
        """The chosen scores of chosen people. The join is left out where it would choose nothing."""
        found: QuerySet[Score] = self.scores.qs
        if filters.in_use(self.people):
            return found.filter(customer__in=self.chosen_people.values("pk"))
        return present(found)

    @property
    def phases(self) -> list[paging.Phase]:
        """Scored customers by the sort key, then everybody else by id; by name all of them together."""
        key = SORT_FIELDS.get(self._by)
        if key is None or self.run is None:
            return [paging.Phase(rows=self._by_name(), key="sort_name", descending=self.sort == "-name")]
        ranked = _ranked(self.chosen_scores, key)
        down = self.sort.startswith("-")
        first = paging.Phase(rows=ranked, key=key, pk="customer_id", descending=down, walks=self._walks)
        sure = filters.PREDICTED if key == "churn_risk" else filters.VALUED
        if sure & set(filters.in_use(self.scores)):
            return [first]  # whoever is left has the key
        return [first, paging.Phase(rows=self._without(key))]

    @property
    def _by(self) -> str:
        """The name of the sort. Without contracts all value is of orders, and that has an index."""
        name = self.sort.lstrip("-")
        return "clv" if name == "orders" and not has_contracts(self.run) else name

    @property
    def _walks(self) -> bool:
        """Whether an index has the filtered rows in the order of the sort (analytics.services.partitions.SORTS)."""
        used = set(filters.in_use(self.scores))
        if self._by == "orders":
            return False
        if not used:
            return True
        if self._by != "clv":
            return self._by == "risk" and used == {"risk_min"}
        one_of = [name for name in ("segment", "risk") if len(self.chosen[name]) == 1]
        return used <= {"clv_min", "clv_max"} or (len(used) == 1 and used <= set(one_of))

    def _by_name(self) -> QuerySet[Customer]:
        people = self.chosen_people
        return people.filter(pk__in=self.scores.qs.values("customer_id")) if self.scored_only else people

    def _without(self, key: str) -> QuerySet[Customer]:
        """Who has nothing to sort by: no score, or one without this figure."""
        ranked = _ranked(Score.objects.filter(run=self.run, customer_id=OuterRef("pk")), key)
        return self._by_name().filter(~Exists(ranked))


def _ranked(scores: QuerySet[Score], key: str) -> QuerySet[Score]:
    """Those that have the key."""
    found = scores.annotate(order_clv_cents=ORDER_CLV) if key == SORT_FIELDS["orders"] else scores
    return found.filter(**{f"{key}__isnull": False})


def present(scores: QuerySet[Score]) -> QuerySet[Score]:
    """Without those of archived customers, who are few: an index of their own has them."""
    archived = Customer.objects.filter(pk=OuterRef("customer_id"), archived_at__isnull=False)
    return scores.filter(~Exists(archived))


def query(*, data: QueryDict, run: Run | None, business: Business) -> Query:
    """Read the list's address: filters that cannot be read are left out."""
    people = filters.PeopleFilter(
        data,
        Customer.objects.all(),
        choices=choices(),
        custom_fields=custom.fields(),
        tags=groups.of(schemes.NEEDS),
    )
    scores = filters.ScoreFilter(
        data,
        Score.objects.filter(run=run),
        currency=business.currency,
        as_of=run.as_of if run else None,
        kinds={scheme.slug: groups.of(scheme) for scheme in schemes.SCORED} if run else {},
    )
    sort = data.get("sort", "")
    known = sort.lstrip("-") in {*SORT_FIELDS, "name"}
    return Query(run=run, people=people, scores=scores, sort=sort if known else FIRST_SORT)


@dataclass(frozen=True, kw_only=True)
class Listing:
    rows: list[Row]
    previous: str
    next: str


def listing(found: Query, *, cursor: str, size: int = PAGE_ROWS) -> Listing:
    """One page of the list, at most four queries."""
    page = paging.page(found.phases, cursor=cursor, size=size)
    items = [item for _, item in page.rows]
    return Listing(rows=rows(items, run=found.run), previous=page.previous, next=page.next)


def top(scores: QuerySet[Score], *, run: Run, limit: int) -> list[Row]:
    """The first customers of scores that are sorted already."""
    return rows(list(scores[:limit]), run=run)


def rows(items: Sequence[Score | Customer], *, run: Run | None) -> list[Row]:
    ids = [item.customer_id if isinstance(item, Score) else item.pk for item in items]
    known = {item.customer_id: item for item in items if isinstance(item, Score)}
    missing = [pk for pk in ids if pk not in known]
    if missing and run is not None:
        known |= {score.customer_id: score for score in Score.objects.filter(run=run, customer_id__in=missing)}
    people = Customer.objects.select_related("company").in_bulk(ids)
    emails = first_emails(ids)
    agreed = _agreed([pk for pk in missing if pk not in known], run=run)
    return [
        Row(customer=people[pk], email=emails.get(pk, ""), score=known.get(pk), contract_cents=agreed.get(pk, 0))
        for pk in ids
        if pk in people
    ]


def has_contracts(run: Run | None) -> bool:
    return run is not None and bool(run.stats.get("contracts", {}).get("contracts"))


def _agreed(ids: Sequence[int], *, run: Run | None) -> dict[int, int]:
    """What contracts bring within the year to customers without a score. No query where nobody can have one."""
    if not ids or not has_contracts(run):
        return {}
    found = ContractTotal.objects.filter(owner=ContractTotal.Owner.CUSTOMER, owner_id__in=ids)
    return dict(found.values_list("owner_id", "year_cents"))


def first_emails(ids: Sequence[int]) -> Mapping[int, str]:
    """The oldest address of each customer that has one."""
    found = Email.objects.filter(customer_id__in=ids).order_by("customer_id", "pk").distinct("customer_id")
    return dict(found.values_list("customer_id", "address"))


@dataclass(frozen=True, kw_only=True)
class Totals:
    customers: int
    clv_cents: int
    scored: int  # who have a value: by a score, or by contracts alone

    @property
    def average_cents(self) -> int | None:
        return round(self.clv_cents / self.scored) if self.scored else None


def totals(found: Query) -> Totals:
    """How many customers the filters leave and what they are worth. Loaded beside the page, not before it."""
    if found.run is None:
        return Totals(customers=found.chosen_people.count(), clv_cents=0, scored=0)
    unfiltered = not found.scored_only and not filters.in_use(found.people)
    if unfiltered:
        archived = Score.objects.filter(run=found.run, customer__archived_at__isnull=False)
        gone = archived.aggregate(scored=Count("customer_id"), clv=Sum("clv_cents"))
        scored = found.run.stats["all"]["customers"] - gone["scored"]
        clv = found.run.stats["all"]["clv_cents"] - (gone["clv"] or 0)
    else:
        added = found.chosen_scores.aggregate(scored=Count("customer_id"), clv=Sum("clv_cents"))
        scored, clv = added["scored"], added["clv"] or 0
    if found.scored_only:
        return Totals(customers=scored, clv_cents=int(clv), scored=scored)
    more = _without_orders(found)
    return Totals(customers=found.chosen_people.count(), clv_cents=int(clv) + more[1], scored=scored + more[0])


def _without_orders(found: Query) -> tuple[int, int]:
    """The chosen people whom contracts, and no score, give a value: how many, and what they bring within the year."""
    if not has_contracts(found.run):
        return 0, 0
    scores = Score.objects.filter(run=found.run, customer_id=OuterRef("owner_id"))
    held = ContractTotal.objects.filter(
        ~Exists(scores), owner=ContractTotal.Owner.CUSTOMER, owner_id__in=found.chosen_people.values("pk")
    ).exclude(year_cents=0)
    told = held.aggregate(people=Count("pk"), cents=Sum("year_cents"))
    return told["people"], int(told["cents"] or 0)


def ids(found: Query) -> list[int]:
    """The customers that the filters leave."""
    if found.scored_only:
        return list(found.chosen_scores.order_by("customer_id").values_list("customer_id", flat=True))
    return list(found.chosen_people.order_by("pk").values_list("pk", flat=True))


def neighbours(found: Query, *, pk: int) -> tuple[int | None, int | None]:
    """The customers before and after one in the list; None at an end, and both when it is not in the list."""
    for number, phase in enumerate(found.phases):
        row = phase.rows.filter(**{phase.pk: pk}).first()
        if row is not None:
            before, after = paging.around(found.phases, at=(number, phase.place(row)))
            return _id(before), _id(after)
    return None, None


def _id(item: Any) -> int | None:
    if item is None:
        return None
    return int(item.customer_id if isinstance(item, Score) else item.pk)


def choices() -> dict[str, list[str]]:
    """The channels and countries that customers have. Walks each index from value to value, not over all rows."""
    return {column: _distinct(column) for column in CHOICES}


def _distinct(column: str) -> list[str]:
    quoted = connection.ops.quote_name(column)
    walk = f"""
        WITH RECURSIVE walk AS (
            (SELECT {quoted} AS value FROM customers_customer WHERE {quoted} <> '' ORDER BY 1 LIMIT 1)
            UNION ALL
            SELECT (SELECT c.{quoted} FROM customers_customer c
                WHERE c.{quoted} <> '' AND c.{quoted} > walk.value ORDER BY 1 LIMIT 1)
            FROM walk WHERE walk.value IS NOT NULL
        ) SELECT value FROM walk WHERE value IS NOT NULL LIMIT 100
    """  # noqa: S608  # the columns are the constants above
    with connection.cursor() as cursor:
        cursor.execute(walk)
        return [value for (value,) in cursor.fetchall()]
