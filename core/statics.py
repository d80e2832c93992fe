"""Static files in STATIC_ROOT: pages name them by the hashes in its manifest, so they must be collected first."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def collect() -> bool:
    """Collect the static files if any of them changed since the last time; True if so."""
    root = Path(settings.STATIC_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    stamp = root / ".collected"
    with (root / ".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        now = fingerprint()
        if stamp.exists() and stamp.read_text() == now:
            return False
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(now)
    return True


def fingerprint() -> str:
    """Return a hash of all files by name, size and time, and of the storage: not every one writes a manifest."""
    storage = settings.STORAGES["staticfiles"]["BACKEND"]
    return hashlib.sha256("\n".join([storage, *sorted(_facts())]).encode()).hexdigest()


def _facts() -> Iterator[str]:
    for finder in get_finders():
        for name, storage in finder.list([]):
            found = Path(storage.path(name)).stat()
            yield f"{getattr(storage, 'prefix', None)}/{name} {found.st_size} {found.st_mtime_ns}"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
    django.setup()
    collect()
