"""Why the ledger of points refuses something, in words for people. `code` names it for programs."""

from typing import ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


class LedgerProblem(Exception):
    """The message is for people. Nothing was changed."""

    code: ClassVar[str]


class KeyReused(LedgerProblem):
    code = "key_reused"

    def __init__(self, key: str) -> None:
        super().__init__(_("The key “%(key)s” was used for something else.") % {"key": key})
        self.key = key


class InsufficientPoints(LedgerProblem):
    code = "insufficient_points"

    def __init__(self, *, balance: int) -> None:
        super().__init__(
            ngettext(
                "There is %(balance)s point to spend: not enough.",
                "There are %(balance)s points to spend: not enough.",
                balance,
            )
            % {"balance": balance}
            if balance >= 0
            else _("The balance is %(balance)s points: nothing can be spent.") % {"balance": balance}
        )
        self.balance = balance


class PointsOverflow(LedgerProblem):
    code = "points_overflow"

    def __init__(self) -> None:
        super().__init__(_("So many points cannot be booked: at most 1,000,000,000,000 at once."))


class NotPoints(LedgerProblem):
    code = "not_points"

    def __init__(self) -> None:
        super().__init__(_("Give a whole number of points above zero."))


class BadPeriod(LedgerProblem):
    code = "bad_period"

    def __init__(self) -> None:
        super().__init__(_("Points have to become active before they expire, and a hold has to end after it begins."))


class HoldEnded(LedgerProblem):
    code = "hold_ended"

    def __init__(self) -> None:
        super().__init__(_("This hold is over: its points were redeemed or released."))


class UnknownPosting(LedgerProblem):
    code = "unknown_posting"

    def __init__(self) -> None:
        super().__init__(_("There is no such posting, or it is not one of this kind."))


class TooMuchBack(LedgerProblem):
    code = "too_much_back"

    def __init__(self) -> None:
        super().__init__(_("That is more than is left of it: some or all of these points went back before."))


class AccountHasHolds(LedgerProblem):
    code = "account_has_holds"

    def __init__(self) -> None:
        super().__init__(
            _("One of the two accounts has points on hold. Redeem or release them first, then merge the accounts.")
        )


class SameAccount(LedgerProblem):
    code = "same_account"

    def __init__(self) -> None:
        super().__init__(_("These two are one account already."))
