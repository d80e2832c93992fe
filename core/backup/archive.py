"""The file of a backup: an ordinary ZIP whose comment is the SHA-256 of all bytes before it.

The manifest, its last member, holds the SHA-256 and size of every other member. The hash in the comment covers what the
manifest cannot: itself and the ZIP's own tables, so that no bit of the file may change unnoticed.
"""

import fcntl
import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from core.backup.errors import BackupError

MANIFEST: Final = "manifest.json"
DATABASE: Final = "database.sql"
SECRET_KEY: Final = "secret_key"  # noqa: S105 - the name of a member
FILES: Final = "files"

PROGRAM: Final = "perennial"
FORMAT: Final = 1
BLOCK: Final = 1 << 20
DIGEST: Final = 64  # characters of a SHA-256
COMPRESSION_LEVEL: Final = 1  # zlib's fastest: text shrinks to a fifth anyhow

Say = Callable[[str], None]
Manifest = dict[str, Any]


class Writer:
    """Takes members one after the other and remembers their sizes and hashes."""

    def __init__(self, file: IO[bytes]) -> None:
        self.zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION_LEVEL)
        self.members: dict[str, dict[str, Any]] = {}

    def add(self, name: str, blocks: Iterable[bytes]) -> int:
        """Write one member from its blocks; returns its bytes before compression."""
        digest, size = hashlib.sha256(), 0
        with self.zip.open(name, "w", force_zip64=True) as member:
            for block in blocks:
                member.write(block)
                digest.update(block)
                size += len(block)
        self.members[name] = {"bytes": size, "sha256": digest.hexdigest()}
        return size

    def close(self, facts: Manifest) -> Manifest:
        """Write the manifest, return it, and leave room for the hash of the whole file."""
        manifest = {"program": PROGRAM, "format": FORMAT} | facts | {"members": self.members}
        self.zip.writestr(MANIFEST, json.dumps(manifest, indent=1, sort_keys=True))
        self.zip.comment = b"0" * DIGEST
        self.zip.close()
        return manifest


@contextmanager
def creating(target: Path, *, force: bool) -> Iterator[Writer]:
    """Give a Writer for `target`, which gets its name when it is complete, readable by its owner alone.

    The caller closes the writer. Raises BackupError when the file may not or cannot be written; leaves no half file.
    """
    _refuse_overwriting(target, force=force)
    draft = target.with_name(f"{target.name}.part")
    try:
        with _private(draft) as file, _writing(file) as writer:
            yield writer
            _seal(file)
            check(draft)
            _refuse_overwriting(target, force=force)
            draft.replace(target)
            _sync_folder(target.parent)
    except OSError as error:
        raise BackupError(f"{target} cannot be written: {error.strerror or error}.") from error


def _refuse_overwriting(target: Path, *, force: bool) -> None:
    if target.is_dir() or not target.parent.is_dir():
        raise BackupError(f"{target} cannot be written: give the name of a file in a directory that exists.")
    if target.exists() and not force:
        raise BackupError(f"{target} exists already: choose another name, or --force to replace it.")


@contextmanager
def _private(draft: Path) -> Iterator[IO[bytes]]:
    """The draft, open and locked, and gone afterwards; one that a killed backup left behind is begun anew.

    A signal may come at any line, so the draft goes away unless it is known to be somebody else's.
    """
    is_ours = True
    try:
        with os.fdopen(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                is_ours = False
                raise BackupError(f"Another backup is being written to {draft}.") from None
            os.fchmod(file.fileno(), 0o600)
            file.truncate()
            yield file
    finally:
        if is_ours:
            draft.unlink(missing_ok=True)


@contextmanager
def _writing(file: IO[bytes]) -> Iterator[Writer]:
    """A Writer that does not try to complete a file which is given up."""
    writer = Writer(file)
    try:
        yield writer
    except BaseException:
        with suppress(OSError, ValueError):
            writer.zip.close()
        raise


def _seal(file: IO[bytes]) -> None:
    """Put the hash of all bytes before it into the comment, and see to it that the disk has them."""
    file.flush()
    digest = _digest(file, file.seek(0, os.SEEK_END) - DIGEST)
    file.write(digest.encode())
    file.flush()
    os.fsync(file.fileno())


def _digest(file: IO[bytes], length: int) -> str:
    """The SHA-256 of the first `length` bytes; leaves the file at their end."""
    digest = hashlib.sha256()
    file.seek(0)
    while length and (block := file.read(min(BLOCK, length))):
        digest.update(block)
        length -= len(block)
    return digest.hexdigest()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def check(path: Path) -> Manifest:
    """Read every byte of a backup and return its manifest. Raises BackupError when it is not as it was written."""
    try:
        with path.open("rb") as file:
            _check_whole(path, file)
            with zipfile.ZipFile(file) as archive:
                return _check_members(path, archive)
    except FileNotFoundError:
        raise BackupError(f"There is no file {path}.") from None
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (zipfile.BadZipFile, EOFError, NotImplementedError, UnicodeDecodeError, ValueError, KeyError) as error:
        raise BackupError(f"{path} is not a backup of Perennial, or it is damaged: {error}.") from error


def _check_whole(path: Path, file: IO[bytes]) -> None:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if size < DIGEST or file.read(4) != b"PK\x03\x04":
        raise BackupError(f"{path} is not a backup of Perennial.")
    found = _digest(file, size - DIGEST)
    if file.read() != found.encode():
        raise BackupError(f"{path} is damaged: its contents do not match the hash at its end. Take another backup.")


def _check_members(path: Path, archive: zipfile.ZipFile) -> Manifest:
    manifest = json.loads(archive.read(MANIFEST))
    if not isinstance(manifest, dict) or manifest.get("program") != PROGRAM:
        raise BackupError(f"{path} is not a backup of Perennial: its manifest says nothing of it.")
    if manifest["format"] != FORMAT:
        raise BackupError(f"{path} has format {manifest['format']}, which is newer than this Perennial: update it.")
    expected = manifest["members"]
    if sorted(archive.namelist()) != sorted([*expected, MANIFEST]) or not {DATABASE, SECRET_KEY} <= set(expected):
        raise BackupError(f"{path} is damaged: its members are not those that its manifest lists.")
    for name, facts in expected.items():
        _check_name(path, name)
        if _facts(archive, name) != facts:
            raise BackupError(f"{path} is damaged: {name} is not what its manifest describes.")
    return manifest


def _check_name(path: Path, name: str) -> None:
    """Refuse a member that would be unpacked elsewhere."""
    parts = PurePosixPath(name).parts
    if ".." in parts or name.startswith("/") or (parts[0] != FILES and name not in (DATABASE, SECRET_KEY)):
        raise BackupError(f"{path} is not a backup of Perennial: {name} does not belong into one.")


def _facts(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    with archive.open(name) as member:
        for block in blocks_of(member):
            digest.update(block)
            size += len(block)
    return {"bytes": size, "sha256": digest.hexdigest()}


def blocks_of(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        yield block
