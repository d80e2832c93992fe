"""The kinds of events that webhooks can be told of, for pages, which translate what is said of each, and programs.

Triggers tell of what loyalty writes (its migrations)."""

from typing import Final

from django.utils.translation import gettext_noop

from core.webhooks.managing import PING, Kind

POINTS: Final[dict[str, object]] = {"customer": "42", "posting": "81", "kind": "earn", "points": 0, "pending": 40}
SPENT: Final = POINTS | {"kind": "redeem", "points": -40, "pending": 0}
REDEMPTION: Final[dict[str, object]] = {"customer": "42", "redemption": "9", "reward": "3", "points": 100}
REFERRAL: Final[dict[str, object]] = {"advocate": "12", "friend": "42", "referral": "5", "reasons": []}
TIER: Final[dict[str, object]] = {"customer": "42", "before": "Silver", "after": "Gold", "reason": "reached"}
EXPIRING: Final[dict[str, object]] = {"customer": "42", "points": 240, "expires_at": "2026-04-01T00:00:00+02:00"}

KINDS: Final = (
    Kind("points.pending", gettext_noop("Points were earned and wait"), POINTS),
    Kind("points.active", gettext_noop("Points can be spent"), POINTS | {"points": 40, "pending": -40}),
    Kind("points.expiring", gettext_noop("Points expire in 30 days"), EXPIRING),
    Kind("points.expired", gettext_noop("Points expired"), SPENT | {"kind": "expire"}),
    Kind("points.spent", gettext_noop("Points were spent"), SPENT),
    Kind("points.returned", gettext_noop("Spent points came back"), SPENT | {"kind": "give_back", "points": 40}),
    Kind("points.reversed", gettext_noop("Earned points were taken back"), SPENT | {"kind": "reverse"}),
    Kind("points.adjusted", gettext_noop("Points were adjusted by hand"), SPENT | {"kind": "adjust"}),
    Kind("tier.changed", gettext_noop("A customer changed tier"), TIER),
    Kind("redemption.held", gettext_noop("A reward was set aside"), REDEMPTION),
    Kind("redemption.committed", gettext_noop("A reward was redeemed"), REDEMPTION),
    Kind("redemption.ready", gettext_noop("A reward lies ready"), REDEMPTION),
    Kind("redemption.handed_over", gettext_noop("A reward was handed over"), REDEMPTION),
    Kind("redemption.sent", gettext_noop("A reward was sent"), REDEMPTION),
    Kind("redemption.released", gettext_noop("A reward that was set aside was released"), REDEMPTION),
    Kind("redemption.cancelled", gettext_noop("A redemption was cancelled"), REDEMPTION),
    Kind("referral.pending", gettext_noop("A friend used a referral code"), REFERRAL),
    Kind("referral.held", gettext_noop("A referral waits for a person"), REFERRAL | {"reasons": ["same_phone"]}),
    Kind("referral.converted", gettext_noop("A referred friend ordered"), REFERRAL),
    Kind("referral.rewarded", gettext_noop("A referral was rewarded"), REFERRAL),
    Kind("referral.expired", gettext_noop("A referred friend did not order in time"), REFERRAL),
    Kind("referral.refused", gettext_noop("A referred friend was not new"), REFERRAL),
    Kind("referral.reversed", gettext_noop("The order of a referred friend came back"), REFERRAL),
    Kind("referral.cancelled", gettext_noop("A referral was cancelled"), REFERRAL),
    Kind(PING, gettext_noop("A test, sent by hand"), {"webhook": "3"}),
)
