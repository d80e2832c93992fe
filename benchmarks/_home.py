"""A fresh home of the benchmarks' own, with servers and tables. Call `enter` before importing Django's models."""

import os
import shutil
from pathlib import Path

import django
from django.core.management import call_command

from core import boot, embedded

BASE_DIR = Path(__file__).resolve().parent.parent
PLACE = Path(os.environ.get("BENCH_HOME", BASE_DIR / "var" / "bench"))


def enter(name: str) -> Path:
    """Start the servers of an empty home under PLACE and make the tables. What an earlier run left goes."""
    home = PLACE / name
    leave(home)
    os.environ["PERENNIAL_HOME"] = str(home)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
    boot.serve(home)
    django.setup()
    call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
    return home


def leave(home: Path) -> None:
    """Stop the home's servers and remove it."""
    embedded.stop(home)
    shutil.rmtree(home, ignore_errors=True)
