"""Why a reward cannot be had, in the customer's words. `code` names it for programs."""

from datetime import datetime
from typing import ClassVar, Final

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from loyalty import naming
from loyalty.days import until
from loyalty.models import Redemption, Reward


class Refused(Exception):
    """The message is for people."""

    code: ClassVar[str]


class SwitchedOff(Refused):
    code = "programme_off"

    def __init__(self) -> None:
        super().__init__(
            naming.later(gettext_lazy("The programme is switched off: %(points)s cannot be redeemed now."))
        )


class Paused(Refused):
    code = "programme_paused"

    def __init__(self) -> None:
        super().__init__(naming.later(gettext_lazy("The programme is paused: %(points)s cannot be redeemed now.")))


class NotOffered(Refused):
    code = "not_offered"

    def __init__(self, reward: Reward | None, at: datetime) -> None:
        super().__init__(_why_not_offered(reward, at))
        self.reward = reward


class OutOfStock(Refused):
    code = "out_of_stock"

    def __init__(self, reward: Reward) -> None:
        super().__init__(_("“%(reward)s” is out of stock.") % {"reward": reward})


class CapReached(Refused):
    code = "cap_reached"

    def __init__(self, reward: Reward) -> None:
        super().__init__(_cap_in_words(reward))


class TooLate(Refused):
    """What became of a redemption does not allow it any more."""

    code = "too_late"

    def __init__(self, redemption: Redemption) -> None:
        super().__init__(what_became(redemption))


class CodeUsed(Refused):
    code = "code_used"

    def __init__(self) -> None:
        super().__init__(
            naming.later(gettext_lazy("The discount code was used already, so the %(points)s stay spent."))
        )


class NoSuchCode(Refused):
    code = "unknown_code"

    def __init__(self) -> None:
        super().__init__(_("Nobody knows this code. Check it letter by letter."))


def _why_not_offered(reward: Reward | None, at: datetime) -> str:
    if reward is None:
        return _("There is no such reward.")
    if reward.visible_from is not None and at < reward.visible_from:
        return _("“%(reward)s” is offered from %(day)s on.") % {"reward": reward, "day": _day(reward.visible_from)}
    if reward.visible_until is not None and reward.visible_until <= at:
        return _("“%(reward)s” was offered until %(day)s.") % {"reward": reward, "day": until(reward.visible_until)}
    return _("“%(reward)s” is no longer offered.") % {"reward": reward}


def _cap_in_words(reward: Reward) -> str:
    most = reward.cap or 0
    texts = {
        Reward.Period.EVER: ngettext(
            "A customer can have “%(reward)s” once.", "A customer can have “%(reward)s” %(most)s times.", most
        ),
        Reward.Period.YEAR: ngettext(
            "A customer can have “%(reward)s” once a year.",
            "A customer can have “%(reward)s” %(most)s times a year.",
            most,
        ),
        Reward.Period.MONTH: ngettext(
            "A customer can have “%(reward)s” once a month.",
            "A customer can have “%(reward)s” %(most)s times a month.",
            most,
        ),
        Reward.Period.DAY: ngettext(
            "A customer can have “%(reward)s” once a day.",
            "A customer can have “%(reward)s” %(most)s times a day.",
            most,
        ),
    }
    return texts[Reward.Period(reward.cap_period)] % {"reward": reward, "most": most}


BECAME: Final = {
    Redemption.State.HELD: gettext_lazy("The %(points)s were held until %(day)s, and that is over."),
    Redemption.State.COMMITTED: gettext_lazy("The %(points)s are spent, and it waits to be handed over."),
    Redemption.State.READY: gettext_lazy("It lies ready to be handed over."),
    Redemption.State.HANDED_OVER: gettext_lazy("It was handed over on %(day)s."),
    Redemption.State.SENT: gettext_lazy("It was sent on %(day)s."),
    Redemption.State.RELEASED: gettext_lazy("The %(points)s were released on %(day)s."),
    Redemption.State.CANCELLED: gettext_lazy("It was cancelled on %(day)s, and the %(points)s went back."),
}


def what_became(one: Redemption) -> str:
    """One sentence on the state of a redemption, with its day."""
    text = BECAME[Redemption.State(one.state)]
    return naming.said(text, day=_day(one.handled_at or one.expires_at or one.made_at))


def _day(at: datetime) -> str:
    return formats.date_format(timezone.localtime(at), "DATETIME_FORMAT")
