"""Catalogues as Django reads them (.mo), made of those that people write (.po): not every machine has gettext."""

import logging
import os
import tempfile
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

log = logging.getLogger(__name__)


def compile_changed(folder: Path) -> list[Path]:
    """Compile each catalogue of `folder` that is newer than what was compiled from it; the files written.

    Several processes may do so at once: each puts a whole file in the place. Where the code belongs to somebody else,
    the catalogues stay as they were made when it was installed.
    """
    stale = [source for source in sorted(folder.glob("*/LC_MESSAGES/*.po")) if _is_stale(source)]
    try:
        return [compiled(source) for source in stale]
    except OSError as error:
        log.warning("Catalogues of languages stay as they are: %s", error)
        return []


def compiled(source: Path) -> Path:
    with source.open("rb") as file:
        catalogue = read_po(file)
    handle, name = tempfile.mkstemp(dir=source.parent, suffix=".tmp")
    with os.fdopen(handle, "wb") as file:
        write_mo(file, catalogue)
    Path(name).chmod(0o644)
    return Path(name).replace(source.with_suffix(".mo"))


def _is_stale(source: Path) -> bool:
    target = source.with_suffix(".mo")
    return not target.exists() or target.stat().st_mtime_ns < source.stat().st_mtime_ns
