from dataclasses import dataclass
from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.http import DeskRequest


@dataclass(frozen=True, kw_only=True)
class Door:
    """One page of the settings, shown to those whom the route table lets in."""

    route: str
    icon: str
    title: Promise
    text: Promise


DOORS: Final = (
    Door(
        route="desk:business",
        icon="building-store",
        title=_("Business"),
        text=_("Name, time zone, currency, and what the figures rest on."),
    ),
    Door(
        route="settings:staff_list",
        icon="users",
        title=_("Staff"),
        text=_("Invite people, give roles, close accounts."),
    ),
    Door(route="desk:roles", icon="shield-check", title=_("Roles"), text=_("What each role may do.")),
    Door(route="settings:key_list", icon="key", title=_("API keys"), text=_("Let your shop and other programs in.")),
    Door(
        route="customers:field_list",
        icon="forms",
        title=_("Custom fields"),
        text=_("What you want to know of customers beside the usual."),
    ),
    Door(route="settings:audit_log", icon="history", title=_("Audit log"), text=_("Who changed what, and when.")),
    Door(
        route="settings:alert_list", icon="bell", title=_("Alerts"), text=_("What went wrong, and who is told by mail.")
    ),
    Door(
        route="account_profile",
        icon="user",
        title=_("My account"),
        text=_("Your name, language, password and devices."),
    ),
)


def index(request: DeskRequest) -> HttpResponse:
    return render(request, "core/settings.html", {"doors": DOORS})
