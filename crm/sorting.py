"""The columns of the customer list and the links that sort by them."""

from dataclasses import dataclass

from django.utils.translation import gettext as _


@dataclass(frozen=True, kw_only=True)
class Column:
    """`key` is empty for a column that cannot be sorted by; `first` is the order that a first click gives."""

    key: str
    label: str
    css: str = ""
    first: str = ""
    sort: str = ""

    @property
    def aria_sort(self) -> str:
        if not self.key or self.sort.lstrip("-") != self.key:
            return ""
        return "descending" if self.sort.startswith("-") else "ascending"

    @property
    def target(self) -> str:
        """The order that a click asks for: the other way round when the list is sorted by this column."""
        if not self.aria_sort:
            return self.first
        return self.key if self.aria_sort == "descending" else f"-{self.key}"


def columns(sort: str) -> list[Column]:
    return [
        Column(key="name", label=_("Customer"), first="name", sort=sort),
        Column(key="", label=_("Segment")),
        Column(key="clv", label=_("CLV"), css="num", first="-clv", sort=sort),
        Column(key="risk", label=_("Churn risk"), first="-risk", sort=sort),
        Column(key="value", label=_("Spend to date"), css="num wide", first="-value", sort=sort),
        Column(key="last", label=_("Last order"), css="num", first="-last", sort=sort),
    ]
