"""Why the ledger of points refuses something, in words for people. `code` names it for programs."""

from typing import ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from loyalty import naming
from loyalty.models.ledger import LARGEST


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
            naming.later(
                ngettext_lazy(
                    "There is %(balance)s %(points)s to spend: not enough.",
                    "There are %(balance)s %(points)s to spend: not enough.",
                    balance,
                )
                if balance >= 0
                else gettext_lazy("The balance is %(balance)s %(points)s: nothing can be spent."),
                balance,
                balance=balance,
            )
        )
        self.balance = balance


class PointsOverflow(LedgerProblem):
    code = "points_overflow"

    def __init__(self) -> None:
        super().__init__(
            naming.later(gettext_lazy("So many %(points)s cannot be booked: at most %(most)s at once."), most=LARGEST)
        )


class NotPoints(LedgerProblem):
    code = "not_points"

    def __init__(self) -> None:
        super().__init__(naming.later(gettext_lazy("Give a whole number of %(points)s above zero.")))


class BadPeriod(LedgerProblem):
    code = "bad_period"

    def __init__(self) -> None:
        super().__init__(
            naming.later(
                gettext_lazy(
                    "%(Points)s have to become active before they expire, and a hold has to end after it begins."
                )
            )
        )


class HoldEnded(LedgerProblem):
    code = "hold_ended"

    def __init__(self) -> None:
        super().__init__(naming.later(gettext_lazy("This hold is over: its %(points)s were redeemed or released.")))


class UnknownPosting(LedgerProblem):
    code = "unknown_posting"

    def __init__(self) -> None:
        super().__init__(_("There is no such posting, or it is not one of this kind."))


class TooMuchBack(LedgerProblem):
    code = "too_much_back"

    def __init__(self) -> None:
        super().__init__(
            naming.later(
                gettext_lazy("That is more than is left of it: some or all of these %(points)s went back before.")
            )
        )


class AccountHasHolds(LedgerProblem):
    code = "account_has_holds"

    def __init__(self) -> None:
        super().__init__(
            naming.later(
                gettext_lazy(
                    "One of the two accounts has %(points)s on hold."
                    " Redeem or release them first, then merge the accounts."
                )
            )
        )


class SameAccount(LedgerProblem):
    code = "same_account"

    def __init__(self) -> None:
        super().__init__(_("These two are one account already."))
