"""Which customers are two people, as somebody has said of them."""

from collections.abc import Collection

from django.core.paginator import Page, Paginator

from customers.models import Apart

PAGE_ROWS = 25


def of(one: int, other: int) -> Apart | None:
    """What stands of a pair now, in either order."""
    low, high = sorted((one, other))
    return Apart.objects.select_related("by").filter(one=low, other=high, ended_at=None).first()


def among(customer_ids: Collection[int]) -> set[frozenset[int]]:
    """The pairs of these who are two people."""
    rows = Apart.objects.filter(one__in=customer_ids, other__in=customer_ids, ended_at=None)
    return {frozenset(pair) for pair in rows.values_list("one", "other")}


def page(number: str) -> Page[Apart]:
    """All that stands, the latest first."""
    rows = Apart.objects.filter(ended_at=None).select_related("one", "other", "by").order_by("-pk")
    return Paginator(rows, PAGE_ROWS).get_page(number)
