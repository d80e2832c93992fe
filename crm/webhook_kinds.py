"""The kinds of events that webhooks can be told of. The apps emit them; pages translate what is said of them here."""

from typing import Final

from django.utils.translation import gettext_noop

from core.webhooks.managing import PING, Kind

KINDS: Final = (Kind(PING, gettext_noop("A test, sent by hand"), {"webhook": "3"}),)
