"""What the search box and the palette find: pages by their names, customers by their folded text."""

from dataclasses import dataclass
from typing import Final

from django.urls import reverse
from django.utils.translation import gettext as _

from core.models import Run
from crm import filters, labels
from crm.selectors import people
from customers.models import Customer

HITS: Final = 6


@dataclass(frozen=True, kw_only=True)
class PageHit:
    title: str
    icon: str
    url: str


def pages(text: str) -> list[PageHit]:
    """Pages whose title has the text in it; segments only when something was typed."""
    found = [
        PageHit(title=_("Today"), icon="layout-dashboard", url=reverse("desk:today")),
        PageHit(title=_("All customers"), icon="users", url=reverse("desk:customer_list")),
        PageHit(title=_("Companies"), icon="building", url=reverse("customers:company_list")),
        PageHit(title=_("Products"), icon="package", url=reverse("customers:product_list")),
        PageHit(title=_("Segments"), icon="chart-pie", url=reverse("desk:segment_list")),
        PageHit(title=_("Value"), icon="trending-up", url=reverse("analytics:value")),
        PageHit(title=_("What if"), icon="adjustments-horizontal", url=reverse("analytics:what_if")),
        PageHit(title=_("Jobs"), icon="moon-stars", url=reverse("desk:job_list")),
        PageHit(title=_("Change password"), icon="key", url=reverse("account_change_password")),
        PageHit(title=_("Two-factor sign-in"), icon="shield-lock", url=reverse("mfa_index")),
    ]
    if text:
        found += [
            PageHit(
                title=_("Segment: %(name)s") % {"name": labels.name_of(name)},
                icon="chart-pie",
                url=reverse("desk:segment_detail", args=[name.slug]),
            )
            for name in labels.SEGMENTS
        ]
    return [page for page in found if text.lower() in page.title.lower()]


def customers(text: str, *, run: Run | None) -> list[people.Row]:
    """The first few customers by name whose text has every word in it."""
    if not text.strip():
        return []
    found = filters.search(Customer.objects.filter(archived_at__isnull=True), text).order_by("sort_name", "pk")[:HITS]
    return people.rows(list(found), run=run)
