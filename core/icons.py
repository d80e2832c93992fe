"""Tabler's icons as inline SVG, read from node_modules once per process."""

import re
from functools import cache
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

NAME = re.compile(r"[a-z0-9-]+")
BACKGROUND = re.compile(r'<path stroke="none" d="M0 0h24v24H0z" fill="none" ?/>')  # every icon has it, nobody sees it
INSIDE = re.compile(r"<svg[^>]*>(?P<paths>.*)</svg>", re.DOTALL)
STROKED = mark_safe('fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round"')
FILLED = mark_safe('fill="currentColor"')


@cache
def paths(name: str, style: str = "outline") -> SafeString:
    """The shapes inside one icon. Raises ImproperlyConfigured when there is no such icon."""
    if not NAME.fullmatch(name) or style not in {"outline", "filled"}:
        raise ImproperlyConfigured(f"No icon has the name {name!r} and style {style!r}.")
    file = Path(settings.NODE_MODULES) / f"@tabler/icons/icons/{style}/{name}.svg"
    try:
        match = INSIDE.search(file.read_text())
    except FileNotFoundError as error:
        raise ImproperlyConfigured(f"{file} is missing: a wrong name, or run `npm ci`.") from error
    body = match.group("paths") if match else ""
    # The text comes from a pinned package, not from a person.
    return mark_safe(re.sub(r"\s*\n\s*", "", BACKGROUND.sub("", body)))  # noqa: S308


def svg(name: str, *, css: str = "", style: str = "outline") -> SafeString:
    """One icon, hidden from screen readers: the words beside it say what it means."""
    return format_html(
        '<svg class="icon {}" width="24" height="24" viewBox="0 0 24 24" {} aria-hidden="true">{}</svg>',
        css,
        FILLED if style == "filled" else STROKED,
        paths(name, style),
    )
