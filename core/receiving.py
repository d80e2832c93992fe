"""Files that people send, written to disk as they come: never in memory, never twice.

The view sets the handler before anything reads the body (Django's “Modifying upload handlers on the fly”).
"""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest

CHUNK_BYTES: Final = 1 << 20


class Received(UploadedFile):
    """A file that has come whole, at `path` until it is moved away. Too large a one is read to its end and not kept."""

    def __init__(self, *, path: Path, sha256: str, lines: int, is_too_large: bool, name: str, size: int) -> None:
        super().__init__(None, name, None, size)
        self.path, self.sha256, self.lines, self.is_too_large = path, sha256, lines, is_too_large


class ToDisk(FileUploadHandler):
    chunk_size = CHUNK_BYTES

    def __init__(self, request: HttpRequest, *, folder: Path, most_bytes: int) -> None:
        super().__init__(request)
        self.folder, self.most_bytes = folder, most_bytes
        self.paths: list[Path] = []
        self.part: BinaryIO | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._close()
        self.folder.mkdir(parents=True, exist_ok=True)
        part = tempfile.NamedTemporaryFile(dir=self.folder, suffix=".part", delete=False)  # noqa: SIM115
        self.part, self.size, self.lines = cast("BinaryIO", part), 0, 0
        self.sum = hashlib.sha256()
        self.paths.append(Path(part.name))

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """A browser reads no answer before it has sent all, so that what is too much is read and forgotten."""
        self.size += len(raw_data)
        if self.part is None or self.size > self.most_bytes:
            return
        self.part.write(raw_data)
        self.sum.update(raw_data)
        self.lines += raw_data.count(b"\n")

    def file_complete(self, file_size: int) -> Received:
        self._close()
        return Received(
            path=self.paths[-1],
            sha256=self.sum.hexdigest(),
            lines=self.lines,
            is_too_large=file_size > self.most_bytes,
            name=self.file_name or "",
            size=file_size,
        )

    def _close(self) -> None:
        if self.part is not None:
            self.part.close()
        self.part = None

    def discard(self) -> None:
        """Remove what was not moved away."""
        self._close()
        for path in self.paths:
            path.unlink(missing_ok=True)


@contextmanager
def to_disk(request: HttpRequest, *, folder: Path, most_bytes: int) -> Iterator[None]:
    """Let this request's files come to `folder`; what nobody took is gone at the end."""
    handler = ToDisk(request, folder=folder, most_bytes=most_bytes)
    request.upload_handlers = [handler]
    try:
        yield
    finally:
        handler.discard()
