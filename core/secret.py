"""Secrets of a home: made once, kept in files only its owner can read."""

import os
import secrets
from pathlib import Path


def key_of(home: Path) -> str:
    """The secret key of a home."""
    return kept_in(home / "secret_key")


def kept_in(path: Path) -> str:
    """Return the secret kept in a file, making it on first use. Two processes starting at once agree."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
