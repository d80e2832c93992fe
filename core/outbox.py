"""The mails of a try-out, as files in its home: written by core.mail_sink, shown at `/outbox/`."""

import re
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Final

from django.conf import settings

MOST_MAILS: Final = 200
SUFFIX: Final = ".eml"
NAME: Final = re.compile(r"\d{20}-[0-9a-f]{8}")


@dataclass(frozen=True, kw_only=True)
class Mail:
    name: str
    at: datetime
    subject: str
    sender: str
    to: str
    text: str
    html: str


class NoSuchMail(Exception):
    """There is no mail of this name, or no outbox: mail goes to a real server."""


def keep(directory: Path, content: bytes) -> Path:
    """Write a mail under a name that sorts by time, whole or not at all, and let the oldest go."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
    written = directory / f"{name}.part"
    written.write_bytes(content)
    kept = written.rename(directory / f"{name}{SUFFIX}")
    for old in sorted(directory.glob(f"*{SUFFIX}"))[:-MOST_MAILS]:
        old.unlink(missing_ok=True)
    return kept


def newest(limit: int) -> list[Mail]:
    """The last mails, the latest first. Raises NoSuchMail where there is no outbox."""
    names = sorted((path.stem for path in _directory().glob(f"*{SUFFIX}")), reverse=True)
    return [read(name) for name in names[:limit]]


def read(name: str) -> Mail:
    path = _directory() / f"{name}{SUFFIX}"
    if not NAME.fullmatch(name) or not path.is_file():
        raise NoSuchMail(name)
    parsed = message_from_bytes(path.read_bytes(), policy=policy.default)
    return Mail(
        name=name,
        at=datetime.fromtimestamp(int(name[:20]) / 1e9, UTC),
        subject=str(parsed["subject"] or ""),
        sender=str(parsed["from"] or ""),
        to=str(parsed["to"] or ""),
        text=_body(parsed, "plain"),
        html=_body(parsed, "html"),
    )


def _body(parsed: EmailMessage, kind: str) -> str:
    part = parsed.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""


def _directory() -> Path:
    if settings.OUTBOX is None:
        raise NoSuchMail("there is no outbox")
    return Path(settings.OUTBOX)
