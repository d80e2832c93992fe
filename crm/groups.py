"""Every segment of every scheme under one shape, so that one page shows them all: names, colours, addresses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.urls import reverse
from django.utils.translation import gettext, gettext_noop

from analytics import schemes, scores
from analytics.schemes import Scheme
from crm import labels
from customers.models import Category, Segment
from customers.models.tag import NEEDS

# Colours are those of RFM's segments, which every chart has; kinds that people name take them in turn.
HUES: Final[Mapping[str, tuple[str, ...]]] = {
    "rfm": tuple(name.slug for name in labels.SEGMENTS),
    "value": ("champions", "potential-loyalists", "hibernating"),
    "tenure": ("new", "potential-loyalists", "champions"),
    "trajectory": ("loyal", "potential-loyalists", "at-risk", "cant-lose"),
    "profitability": ("loyal", "potential-loyalists", "cant-lose", "hibernating"),
}
IN_TURN: Final = (
    "loyal",
    "champions",
    "at-risk",
    "new",
    "promising",
    "cant-lose",
    "potential-loyalists",
    "about-to-sleep",
)
# What the catalogues have to know of texts that stand in analytics.schemes.
TEXTS: Final = (
    *(gettext_noop("Recency and frequency"), gettext_noop("By how lately and how often they order.")),
    *(gettext_noop("Value tier"), gettext_noop("Tenure"), gettext_noop("Trajectory"), gettext_noop("Profitability")),
    *(gettext_noop("Preference"), gettext_noop("Needs"), gettext_noop("By the tags that people give.")),
    gettext_noop("By margin to date and predicted margin together, never below nothing."),
    gettext_noop(
        "By the time since the first order, against the gap that is usual between two orders of this business."
    ),
    gettext_noop("By the last two gaps and the present silence, against the customer's own pace before."),
    gettext_noop("By margin to date less costs, and the margin that is still to be expected."),
    gettext_noop("By the category that most of the customer's money went to, net of what came back."),
    *(gettext_noop("A"), gettext_noop("B"), gettext_noop("C")),
    gettext_noop("The most valuable customers, who together bring 80% of the margin."),
    gettext_noop("The next ones, who bring the 15% after that."),
    gettext_noop("Everybody else: together 5% of the margin."),
    *(gettext_noop("Newcomers"), gettext_noop("Established"), gettext_noop("Long-standing")),
    gettext_noop("First order less than three usual gaps ago."),
    gettext_noop("First order three to twelve usual gaps ago."),
    gettext_noop("First order at least twelve usual gaps ago."),
    *(gettext_noop("Growing"), gettext_noop("Steady"), gettext_noop("Fading"), gettext_noop("Lost")),
    gettext_noop("Order at least one and a half times as often as before."),
    gettext_noop("Order about as often as before, or too seldom to compare."),
    gettext_noop("Order much less often than before, or are silent longer than they used to be."),
    gettext_noop("Silent for so long that hardly a customer of this pace comes back."),
    *(gettext_noop("Profitable"), gettext_noop("Not yet profitable"), gettext_noop("Unprofitable")),
    *(gettext_noop("Inactive"), gettext_noop("Have brought more than they cost, and still buy.")),
    gettext_noop("Cost more so far, but are expected to bring it in."),
    gettext_noop("Cost more than they have brought and are expected to bring."),
    gettext_noop("Have brought more than they cost, but have stopped buying."),
)


@dataclass(frozen=True, kw_only=True)
class Group:
    """One segment. `value` is its code in the scores, or the tag's id; `label` as people read it."""

    scheme: Scheme
    value: int
    slug: str
    label: str
    hue: str
    definition: str = ""

    @property
    def url(self) -> str:
        if self.scheme is schemes.RFM:
            return reverse("desk:segment_detail", args=[self.slug])
        return reverse("desk:group_detail", args=[self.scheme.slug, self.slug])

    @property
    def file_name(self) -> str:
        return self.slug if self.scheme is schemes.RFM else f"{self.scheme.slug}-{self.slug}"

    @property
    def list_query(self) -> str:
        """The filter that leaves its customers."""
        return f"?{'segment' if self.scheme is schemes.RFM else self.scheme.slug}={self.slug}"

    @property
    def list_url(self) -> str:
        return reverse("desk:customer_list") + self.list_query

    @property
    def plan_url(self) -> str:
        return reverse("desk:plan_edit", args=[self.scheme.slug, self.slug])

    @property
    def export_url(self) -> str:
        if self.scheme is schemes.RFM:
            return reverse("desk:segment_export", args=[self.slug])
        return reverse("desk:group_export", args=[self.scheme.slug, self.slug])

    @property
    def moves_url(self) -> str:
        if self.scheme is schemes.RFM:
            return reverse("desk:segment_moves", args=[self.slug])
        return reverse("desk:group_moves", args=[self.scheme.slug, self.slug])


def scheme_of(slug: str) -> Scheme | None:
    return next((scheme for scheme in schemes.ALL if scheme.slug == slug), None)


def of(scheme: Scheme) -> list[Group]:
    """The scheme's segments in their order. One query for categories and for tags."""
    if scheme is schemes.PREFERENCE:
        categories = Category.objects.order_by("name", "pk").values_list("pk", "name")
        return [_named(scheme, number, pk, f"c{pk}", name) for number, (pk, name) in enumerate(categories)]
    if scheme is schemes.NEEDS:
        tags = Segment.objects.filter(scheme=NEEDS).order_by("name", "pk").values_list("pk", "slug", "name")
        return [_named(scheme, number, pk, slug, name) for number, (pk, slug, name) in enumerate(tags)]
    return [
        Group(
            scheme=scheme,
            value=kind.code,
            slug=kind.slug,
            label=gettext(kind.label),
            hue=hue,
            definition=gettext(kind.definition) if kind.definition else str(labels.DEFINITIONS[scores.Name(kind.code)]),
        )
        for kind, hue in zip(scheme.kinds, HUES[scheme.slug], strict=True)
    ]


def _named(scheme: Scheme, number: int, value: int, slug: str, name: str) -> Group:
    return Group(scheme=scheme, value=value, slug=slug, label=name, hue=IN_TURN[number % len(IN_TURN)])


def find(scheme: Scheme, slug: str) -> Group | None:
    return next((group for group in of(scheme) if group.slug == slug), None)


def by_code(scheme: Scheme) -> dict[int, Group]:
    return {group.value: group for group in of(scheme)}
