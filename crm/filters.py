"""What the customer list can be filtered by: facts about people, and what the last night says of them.

Two filter sets, because customers without a score (new since the night, or never ordered) are in the list, too.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from django.db.models import Q, QuerySet, Value
from django.utils.translation import gettext_lazy as _
from django_filters import filters
from django_filters.filterset import FilterSet

from analytics import schemes
from analytics.models import Score
from analytics.schemes import Scheme
from core import money
from crm import labels
from crm.groups import Group
from customers.folding import Fold
from customers.models import Customer, CustomField, Tagging

# The kinds of custom fields that the list can be filtered by.
FILTERED: Final = frozenset({CustomField.Kind.TEXT, CustomField.Kind.YES_NO, CustomField.Kind.CHOICE})
SHORTEST_TRIGRAM: Final = 3
MOST_WORDS: Final = 6
LAST_ORDER: Final = [
    ("30", _("Within 30 days")),
    ("90", _("Within 90 days")),
    ("365", _("Within 365 days")),
    ("older", _("More than 365 days ago")),
]
CODE_OF_BAND: Final = {band: code for code, band in labels.BANDS.items()}
# Lazy: the classes below are made once, their readers speak different languages.
RISKS: Final = [("high", _("High")), ("medium", _("Medium")), ("low", _("Low"))]
SEGMENTS: Final = [(name.slug, _(name.label)) for name in labels.SEGMENTS]


def search(people: QuerySet[Customer], text: str) -> QuerySet[Customer]:
    """Customers whose folded text contains every word; of one or two letters, the start of a word."""
    for word in text.replace("\0", " ").split()[:MOST_WORDS]:
        if len(word) < SHORTEST_TRIGRAM:
            starts_name = Q(sort_name__startswith=Fold(Value(word)))
            people = people.filter(starts_name | Q(search__contains=Fold(Value(f" {word}"))))
        else:
            people = people.filter(search__contains=Fold(Value(word)))
    return people


class PeopleFilter(FilterSet):
    """By facts: text, channel, country. `choices` are the values that exist."""

    # Without DISTINCT, which filters add by themselves: the planner can then walk the index of the sort.
    q = filters.CharFilter(method="by_text", label=_("Search"))
    channel = filters.MultipleChoiceFilter(label=_("Channel"), distinct=False)
    country = filters.MultipleChoiceFilter(label=_("Country"), distinct=False)
    needs = filters.MultipleChoiceFilter(label=_("Needs"), method="by_needs")
    archived = filters.ChoiceFilter(label=_("Archived"), method="by_archived", choices=[("1", _("yes"))])

    def __init__(
        self,
        *args: Any,
        choices: dict[str, list[str]],
        custom_fields: Sequence[CustomField] = (),
        tags: Sequence[Group] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self.custom = {f"custom_{one.key}": one for one in custom_fields if one.kind in FILTERED}
        self.filters |= {name: self._by_custom(one) for name, one in self.custom.items()}
        self.choices = {name: [(value, value) for value in values] for name, values in choices.items()}
        self.choices["needs"] = [(tag.slug, tag.label) for tag in tags]
        self.tags = {tag.slug: tag.value for tag in tags}
        for name, pairs in self.choices.items():
            self.filters[name].extra["choices"] = pairs

    def filter_queryset(self, queryset: QuerySet[Customer]) -> QuerySet[Customer]:
        """Archived customers are there only when they are asked for."""
        found: QuerySet[Customer] = super().filter_queryset(queryset)  # type: ignore[no-untyped-call]
        return found if self.form.cleaned_data.get("archived") else found.filter(archived_at__isnull=True)

    def by_needs(self, people: QuerySet[Customer], name: str, value: list[str]) -> QuerySet[Customer]:
        """Who has one of the tags now."""
        if not value:
            return people
        wanted = [self.tags[slug] for slug in value]
        having = Tagging.objects.filter(segment__in=wanted, removed_at__isnull=True)
        return people.filter(pk__in=having.values("customer_id"))

    def by_archived(self, people: QuerySet[Customer], name: str, value: str) -> QuerySet[Customer]:
        return people.filter(archived_at__isnull=False)

    def _by_custom(self, one: CustomField) -> filters.Filter:
        if one.kind == CustomField.Kind.TEXT:
            return filters.CharFilter(
                label=one.label,
                method=lambda people, _name, value: people.filter(**{f"custom__{one.key}__icontains": value}),
            )
        is_tick = one.kind == CustomField.Kind.YES_NO
        pairs: list[tuple[str, Any]] = (
            [("yes", _("yes")), ("no", _("no"))] if is_tick else [(w, w) for w in one.choices]
        )

        def by_value(people: QuerySet[Customer], _name: str, value: str) -> QuerySet[Customer]:
            wanted = value == "yes" if is_tick else value
            return people.exclude(custom={}).filter(custom__contains={one.key: wanted})

        return filters.ChoiceFilter(label=one.label, choices=pairs, method=by_value)

    def by_text(self, people: QuerySet[Customer], name: str, value: str) -> QuerySet[Customer]:
        return search(people, value)


class ScoreFilter(FilterSet):
    """By the night: segment, risk band, predicted value, time since the last order, the segment left."""

    risk = filters.MultipleChoiceFilter(label=_("Churn risk"), method="by_risk", choices=RISKS)
    segment = filters.MultipleChoiceFilter(label=_("Segment"), method="by_segment", choices=SEGMENTS)
    clv_min = filters.NumberFilter(label=_("CLV from"), method="by_least")
    clv_max = filters.NumberFilter(label=_("CLV to"), method="by_most")
    risk_min = filters.NumberFilter(label=_("Churn risk from"), field_name="churn_risk", lookup_expr="gte")
    last = filters.ChoiceFilter(label=_("Last order"), method="by_last", choices=LAST_ORDER)
    left = filters.ChoiceFilter(
        label=_("Moved from"),
        method="by_left",
        choices=[("none", _("No segment")), *SEGMENTS],
    )

    def __init__(
        self, *args: Any, currency: str, as_of: date | None, kinds: Mapping[str, Sequence[Group]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self.currency, self.as_of = currency, as_of
        self.schemes = [scheme for scheme in schemes.SCORED if kinds.get(scheme.slug)]
        for scheme in self.schemes:
            self.filters[scheme.slug] = self._by_scheme(scheme, kinds[scheme.slug])
        self.choices = {name: self.filters[name].extra["choices"] for name in ("risk", "segment", "last", "left")}
        self.choices |= {one.slug: self.filters[one.slug].extra["choices"] for one in self.schemes}

    def _by_scheme(self, scheme: Scheme, kinds: Sequence[Group]) -> filters.Filter:
        codes = {group.slug: group.value for group in kinds}

        def by_kind(scores: QuerySet[Score], _name: str, value: list[str]) -> QuerySet[Score]:
            return scores.filter(**{f"{scheme.column}__in": [codes[slug] for slug in value]}) if value else scores

        pairs = [(group.slug, group.label) for group in kinds]
        return filters.MultipleChoiceFilter(label=_(scheme.label), method=by_kind, choices=pairs)

    def by_risk(self, scores: QuerySet[Score], name: str, value: list[str]) -> QuerySet[Score]:
        return scores.filter(churn_band__in=[CODE_OF_BAND[band] for band in value]) if value else scores

    def by_segment(self, scores: QuerySet[Score], name: str, value: list[str]) -> QuerySet[Score]:
        codes = [segment.value for segment in labels.SEGMENTS if segment.slug in value]
        return scores.filter(segment__in=codes) if codes else scores

    def by_least(self, scores: QuerySet[Score], name: str, value: Any) -> QuerySet[Score]:
        return scores.filter(clv_cents__gte=int(value.scaleb(money.exponent(self.currency))))

    def by_most(self, scores: QuerySet[Score], name: str, value: Any) -> QuerySet[Score]:
        return scores.filter(clv_cents__lte=int(value.scaleb(money.exponent(self.currency))))

    def by_last(self, scores: QuerySet[Score], name: str, value: str) -> QuerySet[Score]:
        if value == "older":
            return scores.filter(last_age_days__gt=365)
        return scores.filter(last_age_days__lte=int(value))

    def by_left(self, scores: QuerySet[Score], name: str, value: str) -> QuerySet[Score]:
        """Who came to the segment in the night that is shown, by where they were before."""
        segment = labels.segment_of(value)
        if self.as_of is None:
            return scores.none()
        return scores.filter(previous_segment=segment.value if segment else 0, segment_changed_on=self.as_of)


# Filters that leave only scores with a prediction; and with a value, which contracts give to who has no order, too.
PREDICTED: Final = frozenset({"risk", "risk_min", "segment", *(scheme.slug for scheme in schemes.SCORED)})
VALUED: Final = PREDICTED | {"clv_min", "clv_max"}


def in_use(chosen: FilterSet) -> list[str]:
    """The names of the filters that have a value which could be read."""
    if not chosen.is_bound or not (chosen.form.is_valid() or chosen.form.cleaned_data):
        return []
    return [name for name, value in chosen.form.cleaned_data.items() if value not in (None, "", [])]
