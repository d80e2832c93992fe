"""What people are told of webhooks, in their language."""

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

REFUSALS: Final = {
    "not-an-address": gettext_lazy("This is no address of the web. Write it as in https://shop.example.com/events."),
    "not-encrypted": gettext_lazy("The address has to begin with https://, so that nobody on the way can read along."),
    "holds-a-password": gettext_lazy("Leave name and password out of the address: each message is signed instead."),
    "not-public": gettext_lazy("This address leads inside a private network. Only public ones are called."),
    "unknown-name": gettext_lazy("The name of the receiver could not be looked up."),
}
FULL: Final = gettext_lazy("There are %(most)d webhooks already. Remove one first.")


def refusal(code: str) -> str:
    """Why an address is not called."""
    return str(REFUSALS.get(code, code))


def tried(*, status: int, said: str) -> str:
    """What came of one call, in a few words."""
    if status:
        return _("The receiver answered %(status)d.") % {"status": status}
    if said in REFUSALS:
        return refusal(said)
    return _("There was no answer (%(error)s).") % {"error": said}
