"""What the customer list can be filtered by: facts about people, and what the last night says of them.

Two filter sets, because customers without a score (new since the night, or never ordered) are in the list, too.
"""

from datetime import date
from typing import Any, Final

from django.db.models import Q, QuerySet, Value
from django.utils.translation import gettext_lazy as _
from django_filters import filters
from django_filters.filterset import FilterSet

from analytics.models import Score
from core import money
from crm import labels
from customers.folding import Fold
from customers.models import Customer

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

    def __init__(self, *args: Any, choices: dict[str, list[str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self.choices = {name: [(value, value) for value in values] for name, values in choices.items()}
        for name, pairs in self.choices.items():
            self.filters[name].extra["choices"] = pairs

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

    def __init__(self, *args: Any, currency: str, as_of: date | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self.currency, self.as_of = currency, as_of
        self.choices = {name: self.filters[name].extra["choices"] for name in ("risk", "segment", "last", "left")}

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


# Filters that leave only scores with a prediction.
PREDICTED: Final = frozenset({"risk", "risk_min", "segment", "clv_min", "clv_max"})


def in_use(chosen: FilterSet) -> list[str]:
    """The names of the filters that have a value which could be read."""
    if not chosen.is_bound or not (chosen.form.is_valid() or chosen.form.cleaned_data):
        return []
    return [name for name, value in chosen.form.cleaned_data.items() if value not in (None, "", [])]
