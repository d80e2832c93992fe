"""The postings behind a figure: those of some kinds and some days, the latest first."""

from datetime import date, datetime, time, timedelta
from typing import Final

from core import paging
from core.models import Business
from core.paging import Page, Phase
from loyalty.models import Posting
from loyalty.selectors.liability import FLOWS

PAGE_ROWS: Final = 50
MOST_DAYS: Final = 31
Kind = Posting.Kind
# The flows of the page of liability, and the kinds that move points without changing how many there are.
CHOICES: Final[dict[str, tuple[str, ...]]] = FLOWS | {
    "activated": (Kind.ACTIVATE,),
    "held": (Kind.HOLD, Kind.RELEASE),
    "merged": (Kind.MERGE,),
}


def page(*, first: date, last: date, kind: str, business: Business, cursor: str) -> Page:
    """The days from `first` to `last` in the business's zone; `kind` is a name of CHOICES, empty for all."""
    begin = datetime.combine(first, time(), business.zone)
    end = datetime.combine(last + timedelta(days=1), time(), business.zone)
    rows = Posting.objects.filter(at__gte=begin, at__lt=end).select_related("customer")
    if kind in CHOICES:
        rows = rows.filter(kind__in=CHOICES[kind])
    phase = Phase(rows=rows, key="at", pk="id", descending=True, walks=False)
    return paging.page([phase], cursor=cursor, size=PAGE_ROWS)
