"""Opening files that people send: gzip or plain, UTF-8, UTF-16 or cp1252. Spreadsheets are read in sheets.py."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import BinaryIO, Final, cast

from customers.importing.problems import FileProblem

SAMPLE: Final = 1 << 16
BLOCK: Final = 1 << 20
BOMB_RATIO: Final = 200  # order files shrink to a tenth, seldom to a fiftieth
BOMB_BYTES: Final = 100 << 20  # below this even a bomb is harmless
MAX_BYTES: Final = 20 << 30
TEXT_CONTROLS: Final = frozenset(b"\t\n\r\f\v\x1a\x1b")
BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
DAMAGED: Final = (EOFError, gzip.BadGzipFile, zlib.error)


class Kind(Enum):
    TEXT = "text"
    GZIP = "gzip"
    XLSX = "xlsx"


class Unpacked(io.RawIOBase):
    """The unpacked bytes of a gzip file, up to a limit: a small file must not fill the machine."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.most = min(MAX_BYTES, max(BOMB_BYTES, BOMB_RATIO * path.stat().st_size))
        self.read_bytes = 0
        self.stream = gzip.open(path)  # noqa: SIM115 - closed with this object

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        data = self.stream.read1(len(buffer))
        self.read_bytes += len(data)
        if self.read_bytes > self.most:
            raise FileProblem(f"{self.name} unpacks to more than {self.most >> 20} MB; that is not an order file.")
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self.stream.close()
        super().close()


def kind_of(path: Path) -> Kind:
    """What the first bytes say. Raises FileProblem for what can be no table."""
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except FileNotFoundError:
        raise FileProblem(f"{path} does not exist.") from None
    except OSError as error:
        raise FileProblem(f"{path} cannot be read: {error.strerror}.") from None
    if not head:
        raise FileProblem(f"{path.name} is empty. Expected a line of column names and rows below it.")
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileProblem(
            f"{path.name} is an old .xls or a locked workbook. Save it as .xlsx or CSV without a password."
        )
    if head.startswith(b"\x1f\x8b"):
        return Kind.GZIP
    return Kind.XLSX if head.startswith(b"PK\x03\x04") else Kind.TEXT


@contextmanager
def open_bytes(path: Path, kind: Kind) -> Iterator[BinaryIO]:
    raw = io.BufferedReader(Unpacked(path), BLOCK) if kind is Kind.GZIP else path.open("rb")
    with raw:
        try:
            yield cast("BinaryIO", raw)
        except DAMAGED:
            raise FileProblem(f"{path.name} is a damaged gzip file.") from None


@contextmanager
def open_text(path: Path, *, thorough: bool = True) -> Iterator[io.TextIOWrapper]:
    """The file as text with \\n line ends. Bytes that are not text arrive as lone surrogates."""
    kind = kind_of(path)
    encoding = encoding_of(path, kind, thorough=thorough)
    errors = "surrogateescape" if encoding in ("utf-8", "utf-8-sig", "cp1252") else "surrogatepass"
    with open_bytes(path, kind) as raw:
        try:
            with io.TextIOWrapper(raw, encoding=encoding, errors=errors) as text:
                yield text
        except UnicodeError:
            raise FileProblem(f"{path.name} is not valid {encoding.upper()} text. Save it as UTF-8.") from None


def encoding_of(path: Path, kind: Kind, *, thorough: bool = True) -> str:
    """By the mark at the start, else by what the bytes can be. Reads the file once, or only its start."""
    with open_bytes(path, kind) as raw:
        sample = raw.read(SAMPLE)
        if not sample.strip():
            raise FileProblem(f"{path.name} is empty. Expected a line of column names and rows below it.")
        for mark, name in BOMS:
            if sample.startswith(mark):
                return name
        if wide := _wide(sample):
            return wide
        _refuse_binary(path, sample)
        if _is_utf8(sample, raw if thorough else io.BytesIO(), is_all=thorough):
            return "utf-8"
        if not thorough:
            return "cp1252"
    with open_bytes(path, kind) as raw:
        return _utf8_or_cp1252(raw)


def _wide(sample: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of Western text is NUL."""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    most = max(1, len(sample) // 2)
    if odd > 0.4 * most and even < 0.1 * most:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 * most and odd < 0.1 * most else None


def _refuse_binary(path: Path, sample: bytes) -> None:
    controls = sum(byte < 32 and byte not in TEXT_CONTROLS for byte in sample)
    if controls > len(sample) // 20 or sample.startswith(b"%PDF"):
        raise FileProblem(f"{path.name} is not a text file. Expected CSV, CSV.gz or XLSX.")


def _is_utf8(sample: bytes, raw: BinaryIO, *, is_all: bool) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(sample)
        while block := raw.read(BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=is_all)
    except UnicodeDecodeError:
        return False
    return True


def _utf8_or_cp1252(raw: BinaryIO) -> str:
    """Mostly UTF-8 with some broken lines stays UTF-8 (those lines are rejected); otherwise it is cp1252."""
    good = bad = 0
    while line := raw.readline(BLOCK):
        if line.isascii():
            continue
        try:
            line.decode()
            good += 1
        except UnicodeDecodeError:
            bad += 1
    return "utf-8" if good > bad else "cp1252"
