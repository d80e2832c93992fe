"""Errors to Sentry, only where SENTRY_DSN is set, and then without what names a person."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from core import logs

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

# What these say are names in the code; what others say may name a person, and stays in our own log.
SPEAK_OF_CODE: Final = frozenset(error.__name__ for error in logs.CODE_ERRORS) | {"ModuleNotFoundError"}
KEPT: Final = (
    *("event_id", "timestamp", "platform", "level", "logger", "release", "environment", "server_name", "sdk"),
    *("transaction", "transaction_info", "exception", "logentry", "tags", "contexts", "modules", "type"),
)


def start(*, dsn: str, release: str) -> None:
    """Begin to send errors. Without a DSN it does nothing, and the SDK is not even loaded."""
    if not dsn:
        return
    of_celery = import_module("sentry_sdk.integrations.celery").CeleryIntegration()
    of_django = import_module("sentry_sdk.integrations.django").DjangoIntegration()
    of_logging = import_module("sentry_sdk.integrations.logging").LoggingIntegration(event_level=None)
    import_module("sentry_sdk").init(
        dsn=dsn,
        release=release,
        send_default_pii=False,
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        traces_sample_rate=0.0,
        default_integrations=False,
        integrations=[of_django, of_celery, of_logging],
        before_send=before_send,
    )


def before_send(event: "Event", hint: "Hint") -> "Event":
    """The event with the parts that tell where the error is; request, user's data and texts as said stay here."""
    kept: dict[str, Any] = {name: event[name] for name in KEPT if name in event}  # type: ignore[literal-required]
    number = (event.get("user") or {}).get("id")
    if number is not None:
        kept["user"] = {"id": number}
    kept["exception"] = {"values": [_plain(error) for error in (event.get("exception") or {}).get("values", [])]}
    if entry := event.get("logentry"):
        kept["logentry"] = {"message": logs.masked(str(entry.get("message", "")))}
    kept["contexts"] = {
        name: value for name, value in (event.get("contexts") or {}).items() if name in ("runtime", "os")
    }
    return kept  # type: ignore[return-value]


def _plain(error: dict[str, Any]) -> dict[str, Any]:
    frames = (error.get("stacktrace") or {}).get("frames", [])
    return {
        "type": error.get("type"),
        "module": error.get("module"),
        "mechanism": error.get("mechanism"),
        "value": logs.masked(str(error.get("value") or "")) if error.get("type") in SPEAK_OF_CODE else "",
        "stacktrace": {"frames": [{key: value for key, value in frame.items() if key != "vars"} for frame in frames]},
    }
