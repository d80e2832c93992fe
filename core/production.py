"""What `check --deploy` says of a production install beside Django's own checks: which variable is missing, and why.

A warning breaks something or is unsafe; an info is a choice that most installs should make (docs/operations.md).
"""

import os
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from django.conf import settings
from django.core import checks

Texts: TypeAlias = Mapping[str, tuple[str, str]]

# Name, what it means to leave it out, what to do.
NEEDED: Final[Texts] = {
    "SECRET_KEY": (
        "SECRET_KEY is not set: each machine makes a key of its own, and a sign-in on one is unknown to the others.",
        "Set it to fifty random characters and keep them with the other secrets.",
    ),
    "ALLOWED_HOSTS": (
        "ALLOWED_HOSTS is not set: only requests to localhost are answered.",
        "Set it to the names under which people find this server, separated by commas.",
    ),
    "DATABASE_URL": (
        "DATABASE_URL is not set: the embedded PostgreSQL is used, which is meant for a try-out on one machine.",
        "Set it to a PostgreSQL server, 16 or later.",
    ),
    "REDIS_URL": (
        "REDIS_URL is not set: the embedded Redis is used, which is meant for a try-out on one machine.",
        "Set it to a Redis or Valkey server, 6.2 or later.",
    ),
}
ADVISED: Final[Texts] = {
    "EMAIL_URL": (
        "EMAIL_URL is not set: invitations, password links and alerts go to the log instead of a mailbox.",
        "Set it to your mail server, such as smtp+tls://user:password@mail.example.com:587.",
    ),
    "PUBLIC_URL": (
        "PUBLIC_URL is not set: links in mails lead to localhost.",
        "Set it to the address of the start page, such as https://crm.example.com.",
    ),
}


def check_environment(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    return [
        *(checks.Warning(*text, id=f"perennial.{name}") for name, text in missing(NEEDED, os.environ)),
        *(checks.Info(*text, id=f"perennial.{name}") for name, text in missing(ADVISED, os.environ)),
    ]


def missing(wanted: Texts, environment: Mapping[str, str]) -> list[tuple[str, tuple[str, str]]]:
    """What is wanted and neither set nor more than an empty text."""
    return [(name, text) for name, text in wanted.items() if not environment.get(name)]


def check_choices(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    found: list[checks.CheckMessage] = []
    if "*" in settings.ALLOWED_HOSTS:
        found.append(
            checks.Warning(
                "ALLOWED_HOSTS allows every name: links in mails may be made to point to somebody else's server.",
                "List the names under which people find this server.",
                id="perennial.any_host",
            )
        )
    if not settings.STAFF_SECOND_FACTOR_REQUIRED:
        found.append(
            checks.Info(
                "STAFF_SECOND_FACTOR_REQUIRED is off: a stolen password is enough to sign in.",
                "Set it to 1, and everybody sets up a passkey or an authenticator app at the next sign-in.",
                id="perennial.STAFF_SECOND_FACTOR_REQUIRED",
            )
        )
    if settings.HTTPS and not settings.SECURE_PROXY_SSL_HEADER:
        found.append(
            checks.Info(
                "HTTPS is on and TRUSTED_PROXIES is 0: behind a proxy, which the web server does not believe, every"
                " page redirects to itself.",
                "Set it to the number of proxies in front, usually 1.",
                id="perennial.TRUSTED_PROXIES",
            )
        )
    return found
