"""Words for what the database keeps as numbers and codes: segments, risk bands, steps of a night."""

from typing import Final, Protocol

from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from analytics import scores
from analytics.clv import bands

BANDS: Final = {
    bands.LOW: gettext_noop("low"),
    bands.MEDIUM: gettext_noop("medium"),
    bands.HIGH: gettext_noop("high"),
}
SEGMENTS: Final = [name for name in scores.Name if name is not scores.Name.NONE]

STEPS: Final = {
    "points_active": _("Make points active"),
    "tiers_end": _("End tiers"),
    "tiers_begin": _("Begin tiers of the new period"),
    "members": _("Look after members"),
    "points_expire": _("Let points expire"),
    "points_expiring": _("Tell of points that expire soon"),
    "points_left": _("Count the points that are left"),
    "margins": _("Apply margin rates"),
    "totals": _("Add up days"),
    "summaries": _("Add up purchases"),
    "baskets": _("Add up baskets"),
    "profit": _("Count costs and profit"),
    "cohorts": _("Add up cohorts"),
    "periods": _("Count periods"),
    "choice": _("Look back and choose the models"),
    "fit": _("Fit the models"),
    "costs": _("Average the costs"),
    "score": _("Score customers"),
    "index": _("Index and total"),
    "contracts": _("Value contracts"),
    "publish": _("Publish"),
    "moves": _("Find who changes segments"),
    "segments": _("Assign segments"),
    "segment_points": _("Points for segments"),
    "tidy": _("Tidy up"),
    "check_import": _("Try a file out"),
    "import": _("Import a file"),
    "undo_import": _("Take an import back"),
    "clear_demo": _("Take the demo away"),
    "make_codes": _("Make codes"),
    "tag_all": _("Tag a list"),
    "undo_tag_all": _("Take tags of a list back"),
    "tier_rules": _("Look at tiers again"),
}
ALL_JOBS: Final = _("All")

DEFINITIONS: Final = {
    scores.Name.CHAMPIONS: _("Bought lately and often."),
    scores.Name.LOYAL: _("Buy often, not only in the last weeks."),
    scores.Name.POTENTIAL_LOYALISTS: _("Bought lately, and more than once or twice."),
    scores.Name.NEW: _("Bought for the first time very lately."),
    scores.Name.PROMISING: _("Bought for the first time not long ago."),
    scores.Name.NEEDS_ATTENTION: _("Average in time and number of orders."),
    scores.Name.ABOUT_TO_SLEEP: _("Few orders, the last one a while ago."),
    scores.Name.AT_RISK: _("Ordered often enough, but not for long."),
    scores.Name.CANT_LOSE: _("Ordered most often of all, but not for long."),
    scores.Name.HIBERNATING: _("Few orders, the last one long ago."),
}


# The names as the catalogues know them; analytics.scores.Name has them without translation.
NAMES: Final = (
    gettext_noop("Champions"),
    gettext_noop("Loyal"),
    gettext_noop("Potential loyalists"),
    gettext_noop("New"),
    gettext_noop("Promising"),
    gettext_noop("Needs attention"),
    gettext_noop("About to sleep"),
    gettext_noop("At risk"),
    gettext_noop("Can't lose"),
    gettext_noop("Hibernating"),
)


def segment(code: int) -> scores.Name:
    return scores.Name(code)


def segment_of(slug: str) -> scores.Name | None:
    """The segment with a slug; None when there is no such one."""
    return next((name for name in SEGMENTS if name.slug == slug), None)


def band(code: int) -> str:
    """`low`, `medium`, `high`, or nothing."""
    return BANDS.get(code, "")


class Labelled(Protocol):
    @property
    def label(self) -> str: ...


def name_of(segment: Labelled | None) -> str:
    """The segment's name in the reader's language; empty for none."""
    return gettext(segment.label) if segment else ""


def step(name: str) -> str:
    return str(STEPS.get(name) or name.replace("_", " ").capitalize())
