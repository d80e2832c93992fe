"""The secret key of a home: made once, kept in a file only its owner can read."""

import os
import secrets
from pathlib import Path


def key_of(home: Path) -> str:
    """Return the key kept in `home/secret_key`, making it on first use. Two processes starting at once agree."""
    path = home / "secret_key"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        draft = home / f"secret_key.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
