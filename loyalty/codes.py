"""Codes that are worth money: 80 random bits as 16 characters of Crockford's base32, read as people mean them.

Letters that look like digits are not in the alphabet. Who types O means 0, who types I or L means 1; case, spaces and
dashes say nothing. So no two codes differ only by what looks alike, and a reading never turns one code into another.
"""

import base64
import secrets
from collections.abc import Iterator
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: without I, L, O and U
LENGTH: Final = 16
LONGEST: Final = 32  # of a word that people choose themselves, such as SUMMER10
GROUP: Final = 4
BYTES: Final = LENGTH * 5 // 8

_OF_RFC_4648: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", ALPHABET)
_AS_MEANT: Final = str.maketrans("OIL", "011")
_DASHES: Final = "-_\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}\N{SOFT HYPHEN}"
_UNSAID: Final = str.maketrans("", "", _DASHES + "\N{ZERO WIDTH SPACE}")


def new() -> str:
    """A code that nobody can guess."""
    return base64.b32encode(secrets.token_bytes(BYTES)).decode().translate(_OF_RFC_4648)


def several(count: int) -> Iterator[str]:
    """So many codes, each drawn on its own: two alike are possible, and a unique column refuses them."""
    return (new() for _ in range(count))


def normalise(text: str) -> str:
    """The code as it is kept; empty when `text` cannot be a code.

    Only ASCII letters are taken: upper() makes `SS` of a German ß and `I` of a dotless ı, which would be other codes.
    """
    kept = "".join(text.split()).translate(_UNSAID)
    if not (kept.isascii() and kept.isalnum()) or len(kept) > LONGEST:
        return ""
    return kept.upper().translate(_AS_MEANT)


def shown(code: str) -> str:
    """In groups of four: `7K3M-0QXR-W8ZD-41TN`. A chosen word stays whole."""
    if len(code) != LENGTH:
        return code
    return "-".join(code[place : place + GROUP] for place in range(0, LENGTH, GROUP))
