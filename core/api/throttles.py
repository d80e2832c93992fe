"""How often a key may call, counted per minute in Redis, and how often an address may try keys that are not valid.

Both limits are for programs that run in circles. Keys cannot be guessed, so nothing else hangs on the counters: while
Redis does not answer, the API does.
"""

import logging
import time
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from core.models import ApiKey

log = logging.getLogger(__name__)

WINDOW_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Quota:
    """Requests that one caller may make until the window ends, `reset` seconds from now."""

    limit: int
    used: int
    reset: int

    @property
    def headers(self) -> dict[str, str]:
        left = max(0, self.limit - self.used)
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(left),
            "RateLimit-Reset": str(self.reset),
        }


def take(*, caller: str, limit: int) -> Quota | None:
    """Count one request of the caller; None while the counters cannot be reached."""
    window, passed = divmod(time.time(), WINDOW_SECONDS)
    name = f"calls:{caller}:{window:.0f}"
    try:
        used = _increase(name)
    except (RedisError, OSError) as error:
        log.warning("calls are not counted, Redis does not answer: %s", type(error).__name__)
        return None
    return Quota(limit=limit, used=used, reset=int(WINDOW_SECONDS - passed) + 1)


def _increase(name: str) -> int:
    try:
        return cache.incr(name)
    except ValueError:
        return 1 if cache.add(name, 1, WINDOW_SECONDS * 2) else cache.incr(name)


class KeyThrottle(BaseThrottle):
    def allow_request(self, request: Request, view: object) -> bool:
        if not isinstance(request.auth, ApiKey):
            return True
        quota = take(caller=f"key:{request.auth.pk}", limit=settings.API_CALLS_PER_MINUTE)
        request._request.quota = quota  # type: ignore[attr-defined]  # noqa: SLF001
        self.quota = quota
        return quota is None or quota.used <= quota.limit

    def wait(self) -> float | None:
        return self.quota.reset if self.quota else None


def count_failure(request: Request) -> None:
    """Count a key that is not valid. Raises Throttled when its address has tried too many."""
    quota = take(caller=f"address:{BaseThrottle().get_ident(request)}", limit=settings.API_FAILURES_PER_MINUTE)
    if quota is not None and quota.used > quota.limit:
        request._request.quota = quota  # type: ignore[attr-defined]  # noqa: SLF001
        raise Throttled(quota.reset)
