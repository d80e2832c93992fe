"""Why a referral code is not taken, by name and in words for people."""

from datetime import datetime
from typing import ClassVar

from django.utils import formats, timezone
from django.utils.translation import gettext as _


class Refused(Exception):
    """The message is for whoever uses the code, `to_staff` for who notes it for somebody else, `code` for programs.

    Nothing was changed.
    """

    code: ClassVar[str]

    @property
    def to_staff(self) -> str:
        return str(self)


class Unknown(Refused):
    code = "code_unknown"

    def __init__(self) -> None:
        super().__init__(_("There is no such referral code."))


class OwnCode(Refused):
    code = "own_code"

    def __init__(self) -> None:
        super().__init__(_("This is your own code. It is for somebody else."))

    @property
    def to_staff(self) -> str:
        return _("This is the customer's own code. It is for somebody else.")


class InACircle(Refused):
    code = "own_code"

    def __init__(self) -> None:
        super().__init__(_("You have referred this person yourself, or somebody who did."))

    @property
    def to_staff(self) -> str:
        return _("The customer has referred this person, or somebody who did.")


class NotNew(Refused):
    code = "not_new"

    def __init__(self) -> None:
        super().__init__(_("The code is for new customers, and you have ordered before."))

    @property
    def to_staff(self) -> str:
        return _("The code is for new customers, and this one has ordered before.")


class AlreadyReferred(Refused):
    code = "already_referred"

    def __init__(self) -> None:
        super().__init__(_("Somebody has referred you already."))

    @property
    def to_staff(self) -> str:
        return _("Somebody has referred this customer already.")


class Limit(Refused):
    code = "limit"

    def __init__(self) -> None:
        super().__init__(_("The code was used as often as it may be."))


class Expired(Refused):
    code = "expired"

    def __init__(self, *, ended_at: datetime | None = None) -> None:
        day = formats.date_format(timezone.localtime(ended_at), "DATETIME_FORMAT") if ended_at else ""
        said = _("The code worked until %(day)s.") % {"day": day} if day else _("The code does not work at the moment.")
        super().__init__(said)
