"""Technical errors in words that people understand: what happened, and what to do."""

import re
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core import retelling

Words = str | Promise
KIND: Final = re.compile(r"\((?P<kind>[A-Za-z_]\w*)\)$|^(?P<alone>[A-Z]\w*)$")


@dataclass(frozen=True, slots=True)
class Reason:
    """`code` names it for programs; `sentence` and `advice` are for people."""

    code: str
    sentence: Words
    advice: Words


DATABASE_GONE: Final = Reason(
    "database-gone",
    _("The database went away in the middle of the work."),
    _("Check that PostgreSQL is up, then run it again. Nothing was half written."),
)
REASONS: Final[dict[str, Reason]] = {
    reason.code: reason
    for reason in (
        DATABASE_GONE,
        Reason(
            "disk-full",
            _("The disk is full."),
            _("Make room on the disk of the database or of the uploaded files, then run it again."),
        ),
        Reason(
            "locked",
            _("Something else held the same rows for too long."),
            _("Run it again. If it comes back, look for a long import or a forgotten database session."),
        ),
        Reason(
            "memory",
            _("There was not enough memory."),
            _("Give the machine more memory or run fewer workers, then run it again."),
        ),
        Reason(
            "worker-gone",
            _("The worker that did this was stopped or killed."),
            _("Mostly the machine was restarted or ran out of memory. Run it again; if it comes back, add memory."),
        ),
        Reason(
            "file-missing",
            _("A file that is needed is no longer there."),
            _("Upload the file again. If it lies on a shared disk, check that the disk is there."),
        ),
        Reason(
            "not-allowed",
            _("The program may not read or write a file."),
            _("Check who owns the folder named in the details, then run it again."),
        ),
        Reason(
            "too-slow",
            _("It took longer than it may."),
            _("Run it again. If it comes back, the machine is too small for this much data at once."),
        ),
        Reason(
            "redis-gone",
            _("Redis did not answer."),
            _("Check that Redis is up, then run it again."),
        ),
        Reason(
            "data-refused",
            _("Some of the data breaks a rule that the database keeps."),
            _("The details name the rule. Correct the data, then run it again."),
        ),
        Reason(
            "data",
            _("Some of the data is not what the program expects."),
            _("Look at the details, correct the data, then run it again. If it is right, report the error."),
        ),
        Reason(
            "program",
            _("The program made a mistake."),
            _("Run it again. If it comes back, report what the details say."),
        ),
    )
}
# What an error says, and then of which kind it is: the first that fits names the reason.
SAYINGS: Final = (
    ("disk-full", r"no space left|disk (is )?full|could not extend file|DiskFull|ENOSPC"),
    ("worker-gone", r"^The worker .* went away|WorkerLostError|SIGKILL|exitcode"),
    ("memory", r"out of memory|MemoryError|OutOfMemory|cannot allocate memory"),
    ("locked", r"lock timeout|lock_timeout|deadlock|LockNotAvailable|DeadlockDetected|could not obtain lock"),
    ("too-slow", r"statement timeout|QueryCanceled|SoftTimeLimitExceeded|TimeLimitExceeded|\(TimeoutError\)$"),
    ("redis-gone", r"\bredis\b|Error \d+ connecting to"),
    (
        "database-gone",
        (
            r"server closed the connection|terminating connection|connection (failed|refused|timed out|is bad|is lost)"
            r"|the connection is|AdminShutdown|CrashShutdown|database system is|\((OperationalError|InterfaceError)\)$"
        ),
    ),
    ("file-missing", r"No such file|FileNotFoundError"),
    ("not-allowed", r"Permission denied|PermissionError"),
    ("data-refused", r"violates .*constraint|\(IntegrityError\)$"),
    ("data", r"\((ValueError|DataError|KeyError|UnicodeDecodeError|InvalidOperation|ValidationError|OverflowError)\)$"),
)


def reason(error: str) -> Reason:
    """What lies behind the first line of an error. A line without the kind of an exception was written for people."""
    text = error.strip()
    for code, pattern in SAYINGS:
        if re.search(pattern, text, re.IGNORECASE):
            return REASONS[code]
    if text and KIND.search(text) is None:
        return Reason("refused", retelling.retold(text), _("Correct what it names and start it again."))
    return REASONS["program"]
