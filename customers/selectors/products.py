"""Products: what is sold, at which price and cost, and how much of it."""

from datetime import date
from typing import Any, Final

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, Q, QuerySet, Sum

from customers.models import Category, Order, OrderLine, Product

PAGE_ROWS: Final = 25
OPTIONS: Final = 20


def page(*, text: str, category: str, kind: str, number: str) -> Page[Product]:
    """Products by name, of a category (its id, or `none`) and a kind."""
    found = search(text).select_related("category")
    if category == "none":
        found = found.filter(category__isnull=True)
    elif category.isdigit():
        found = found.filter(category_id=int(category[:18]))
    if kind in Product.Kind.values:
        found = found.filter(kind=kind)
    return Paginator(found.order_by("name", "sku"), PAGE_ROWS).get_page(number)


def search(text: str) -> QuerySet[Product]:
    found = Product.objects.all()
    for word in text.replace("\0", " ").split()[:6]:
        found = found.filter(Q(name__icontains=word) | Q(sku__icontains=word))
    return found


def sold(products: list[Product], *, since: date) -> dict[int, dict[str, Any]]:
    """By product: quantity, net and orders of paid lines since a day, less what came back of them. One query."""
    lines = OrderLine.objects.filter(product__in=products, order__status=Order.Status.PAID, order__placed_on__gte=since)
    figures = (
        lines.order_by()
        .values("product")
        .annotate(
            quantity=Sum(F("quantity") - F("refunded_quantity")),
            net_cents=Sum(F("net_cents") - F("refunded_cents")),
            orders=Count("order", distinct=True),
        )
    )
    return {row["product"]: row for row in figures}


def latest_lines(product: Product, *, most: int = 10) -> list[OrderLine]:
    lines = OrderLine.objects.filter(product=product).select_related("order", "order__customer")
    return list(lines.order_by("-order__placed_on", "-order__placed_at", "-pk")[:most])


def categories() -> QuerySet[Category]:
    """All of them by name, with `products` counted."""
    return Category.objects.annotate(product_count=Count("products")).order_by("name")
