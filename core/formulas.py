"""Texts in files that spreadsheets open."""

from typing import Final

BEGINS: Final = ("=", "+", "-", "@", "\t", "\r")


def plain(text: str) -> str:
    """What somebody outside has written: a quote in front of what a spreadsheet would run as a formula."""
    return f"'{text}" if text.startswith(BEGINS) else text
