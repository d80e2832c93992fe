"""One call to a receiver: to the checked address, with the checks of its certificate, without following it anywhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Final

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.exceptions import HTTPError

from core.webhooks.addresses import Forbidden, Network, Target, Unknown, resolve

TIMEOUT: Final = Timeout(connect=5, read=10)
COMMON: Final = {"Content-Type": "application/json", "User-Agent": "Perennial"}
MOST_READ: Final = 500  # bytes of an answer, for the log


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a receiver answered, or why there was no answer (`status` 0). `said` is a code or the answer's beginning."""

    status: int
    said: str
    ms: int

    @property
    def is_delivered(self) -> bool:
        return 200 <= self.status < 300


def post(*, url: str, body: str, headers: Mapping[str, str], allowed: tuple[Network, ...]) -> Outcome:
    """Send a message. Raises nothing that a receiver could cause."""
    began = monotonic()
    try:
        status, said = _sent(resolve(url, allowed=allowed), body.encode(), headers)
    except Forbidden as error:
        status, said = 0, error.code
    except Unknown:
        status, said = 0, "unknown-name"
    except (HTTPError, OSError, ValueError) as error:
        status, said = 0, type(error).__name__
    return Outcome(status=status, said=said, ms=round((monotonic() - began) * 1000))


def _sent(target: Target, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    with _connection(target) as pool:
        answer = pool.urlopen(
            "POST",
            target.path,
            body=body,
            headers={"Host": target.authority, **COMMON, **headers},
            redirect=False,
            retries=False,
            preload_content=False,
            decode_content=False,
        )
        try:
            said = answer.read1(MOST_READ) or b""
        except (HTTPError, OSError):
            said = b""  # the status has arrived, and nothing depends on the rest
        answer.close()
    return answer.status, said.decode(errors="replace").replace("\0", "�")[:MOST_READ]


def _connection(target: Target) -> HTTPConnectionPool:
    if target.scheme == "http":
        return HTTPConnectionPool(target.ip, target.port, timeout=TIMEOUT)
    return HTTPSConnectionPool(
        target.ip, target.port, timeout=TIMEOUT, server_hostname=target.host, assert_hostname=target.host
    )
