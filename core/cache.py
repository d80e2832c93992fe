"""The cache of counters, which goes on without Redis.

Limits on guessing stand in it, and answers that can be found again. When Redis is away, refusing everybody would lock
the staff out just when they are needed, while a guesser still pays for a slow hash of the password, and for the second
factor behind it. So a counter that cannot be read counts as zero, and the log says so.
"""

import logging
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


class OpenRedisCache(RedisCache):
    """Answers as an empty cache while Redis does not answer."""

    def add(self, *args: Any, **options: Any) -> bool:
        return bool(_tried(super().add, True, *args, **options))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return _tried(super().get, default, key, default=default, version=version)

    def set(self, *args: Any, **options: Any) -> None:
        _tried(super().set, None, *args, **options)

    def delete(self, *args: Any, **options: Any) -> bool:
        return bool(_tried(super().delete, False, *args, **options))


def _tried(method: Callable[..., Any], otherwise: Any, *args: Any, **options: Any) -> Any:
    try:
        return method(*args, **options)
    except RedisError as error:
        log.warning("Redis does not answer, so limits on attempts are off: %s", error)
        return otherwise
