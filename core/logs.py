"""How everything logs: one line an event, JSON in production, and nothing in it that names a person.

Web, workers, beat and commands share this configuration. Three things keep people out of the lines: keys that hold
personal data are dropped, addresses and numbers within texts are masked, and of an exception only its kind, the first
line of what it says (with quoted values masked) and the places in the code are kept, never local variables.
"""

import re
import sys
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from types import TracebackType
from typing import Any, Final, TypeAlias

import structlog
from django.template.exceptions import TemplateSyntaxError
from structlog.typing import Processor, WrappedLogger

EventDict: TypeAlias = MutableMapping[str, Any]

MASK: Final = "…"
LEVELS: Final = {"json": "INFO", "console": "WARNING"}  # the lowest that is written, unless LOG_LEVEL says another
PERSONAL: Final = frozenset(
    {
        *("email", "emails", "e_mail", "login", "username", "name", "first_name", "last_name", "full_name"),
        *("phone", "phones", "mobile", "address", "street", "city", "postcode", "zip", "birthday", "birth_date"),
        *("q", "query", "query_string", "search", "text", "note", "body", "data", "form", "payload", "params", "row"),
        *("password", "token", "secret", "authorization", "cookie", "cookies", "api_key"),
        *("ip", "remote_addr", "user_agent", "positional_args", "stack_info"),
    }
)
ADDRESS: Final = re.compile(r"[^\s@<>'\"“”(),;:]+@[^\s@<>'\"“”(),;:]+")
PHONE: Final = re.compile(r"\+\d[\d ()./-]{5,}\d")
QUERY: Final = re.compile(r"\?[^\s\"'<>]*=[^\s\"'<>]*")
QUOTED: Final = re.compile(r"'[^']*'|“[^”]*”|\"[^\"]*\"")
NAME_OF_A_RULE: Final = re.compile(r"\"[a-z]+(_[a-z0-9]+)+\"")  # "one_order_per_source_and_id"
CODE_ERRORS: Final = (ImportError, AttributeError, NameError, TypeError, TemplateSyntaxError)
DEEPEST: Final = 4
FRAMES: Final = 12


def masked(text: str) -> str:
    """A text without e-mail addresses, international phone numbers and query strings."""
    return QUERY.sub(f"?{MASK}", PHONE.sub(MASK, ADDRESS.sub(MASK, text)))


def said(error: BaseException) -> str:
    """As `said_in`; what an error of our own code quotes are names in the code, and they stay."""
    lines = str(error).strip().splitlines()
    return masked(lines[0]) if lines and isinstance(error, CODE_ERRORS) else said_in(str(error))


def said_in(text: str) -> str:
    """The first line of what an exception says, without the values that it quotes. PostgreSQL's details come later."""
    lines = text.strip().splitlines()
    return masked(QUOTED.sub(_without_value, lines[0])) if lines else ""


def _without_value(quoted: re.Match[str]) -> str:
    return quoted[0] if NAME_OF_A_RULE.fullmatch(quoted[0]) else MASK


def clean(value: Any, depth: int = 0) -> Any:
    """A value as it may be logged: personal keys gone, texts masked, whatever lies too deep left out."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        kept = {key: inner for key, inner in value.items() if str(key).lower() not in PERSONAL}
        return MASK if depth == DEEPEST else {key: clean(inner, depth + 1) for key, inner in kept.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return MASK if depth == DEEPEST else [clean(inner, depth + 1) for inner in value]
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {said(value)}"
    return value if value is None or isinstance(value, bool | int | float) else masked(str(value))


def without_personal_data(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    return {key: clean(value) for key, value in event.items() if key.lower() not in PERSONAL}


def with_plain_exception(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Put kind, first line and places of an exception where `exc_info` was."""
    return _with_exception(event, said)


def with_exception_in_full(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """The same for the terminal of whoever tries it out, where the file that was missing has its name."""
    return _with_exception(event, lambda error: masked(str(error).strip()))


def _with_exception(event: EventDict, tell: Callable[[BaseException], str]) -> EventDict:
    found = event.pop("exc_info", None)
    error = sys.exc_info()[1] if found is True else found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["error"] = {"kind": type(error).__name__, "said": tell(error), "at": _places(error.__traceback__)}
        if cause := error.__cause__ or error.__context__:
            event["error"]["because"] = f"{type(cause).__name__}: {tell(cause)}"
    return event


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-FRAMES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def for_people(logger: WrappedLogger, method: str, event: EventDict) -> str:
    """One line for a terminal, then the places of an error."""
    error = event.pop("error", None)
    head = f"{event.pop('timestamp', '')} {str(event.pop('level', '')).upper()} {event.pop('event', '')}"
    rest = " ".join(f"{key}={value}" for key, value in event.items() if value not in (None, ""))
    lines = [f"{head} {rest}".strip()]
    if isinstance(error, Mapping):
        lines += [f"    {place}" for place in error["at"]] + [f"  {error['kind']}: {error['said']}"]
    elif error:
        lines.append(f"  {error}")
    return "\n".join(lines)


BEFORE: Final[list[Processor]] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def config(*, form: str, level: str) -> dict[str, Any]:
    """Logging for `dictConfig`. `form` is `json` or `console`; `level` the lowest that is written."""
    render = structlog.processors.JSONRenderer(ensure_ascii=False) if form == "json" else for_people
    line = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": BEFORE,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            with_plain_exception if form == "json" else with_exception_in_full,
            without_personal_data,
            render,
        ],
    }
    # What the library says at its own level would only repeat ours, with addresses that hold ids and keys.
    silent = {"handlers": [], "propagate": False, "level": "CRITICAL"}
    loud = {"handlers": ["out"], "propagate": False, "level": level}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": line},
        "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["out"], "level": level},
        "loggers": {
            "django": {"handlers": [], "propagate": True, "level": level},
            "django.request": silent,
            "django.security.csrf": silent,
            "gunicorn.error": loud,
            "gunicorn.access": silent,
        },
    }


def set_up() -> None:
    """Make structlog's own loggers write through the handlers of `config`."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *BEFORE,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
