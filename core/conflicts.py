"""Two people edit one record at once: who of them touched which field, told by digests of what each form showed.

Plain values only. A field's value is the list of texts that stand in its inputs.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Texts: TypeAlias = Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Compared:
    """`kept`: only they changed these, so theirs stand. `conflicts`: both did, and differently."""

    kept: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)


def token(values: Mapping[str, Texts]) -> str:
    """What a form carries of the record that it was made from: a digest for each field."""
    return json.dumps({name: _digest(texts) for name, texts in values.items()}, separators=(",", ":"))


def compare(*, made_from: str, current: Mapping[str, Texts], yours: Mapping[str, Texts]) -> Compared:
    """Fields that somebody changed since the form with the token `made_from` was made. A field that the token does not
    know, or a token that cannot be read, guards nothing.
    """
    digests = _read(made_from)
    kept: list[str] = []
    conflicts: list[str] = []
    for name, texts in current.items():
        before, now = digests.get(name), _digest(texts)
        mine = _digest(yours.get(name, ()))
        if before is None or before == now or mine == now:
            continue
        (kept if mine == before else conflicts).append(name)
    return Compared(kept=kept, conflicts=conflicts)


def plain(texts: Texts) -> list[str]:
    """Without empty inputs and without what browsers do to the ends of lines."""
    stripped = (text.replace("\r\n", "\n").strip() for text in texts)
    return [text for text in stripped if text]


def _digest(texts: Texts) -> str:
    return hashlib.blake2s("\x1f".join(plain(texts)).encode(), digest_size=6).hexdigest()


def _read(made_from: str) -> dict[str, str]:
    try:
        found = json.loads(made_from)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
