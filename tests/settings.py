"""The project's settings on a home of the tests' own, so that no test ever meets somebody's data.

The home's servers skip fsync: a crash of the machine may cost the tests' data, a killed server may not.
Each xdist worker has a Redis database of its own, as pytest-django gives each a PostgreSQL database.
"""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
os.environ.setdefault("PERENNIAL_HOME", str(BASE_DIR / "var" / "test"))
os.environ.setdefault("PERENNIAL_DURABLE", "0")

from core import embedded  # noqa: E402
from crm.settings import *  # noqa: E402, F403
from crm.settings import CACHES, PERENNIAL_HOME, REDIS_URL, STORAGES  # noqa: E402

WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw-1").removeprefix("gw")) + 1
if not os.environ.get("REDIS_URL"):
    REDIS_URL = f"{embedded.redis_url(PERENNIAL_HOME)}?db={WORKER}"
CELERY_BROKER_URL = embedded.broker_url(REDIS_URL)
# The limits that one test or one run used up are not those of the next.
CACHES = {
    "default": CACHES["default"]
    | {"LOCATION": REDIS_URL, "KEY_PREFIX": f"test-{os.getpid()}", "KEY_FUNCTION": "tests.limits.key_of_this_test"}
}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Tests read static files where they lie; tests/core/test_npm.py collects them as a real start does.
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
# Each test has a client and so a middleware of its own: WhiteNoise looks a file up when asked, and lists none before.
WHITENOISE_AUTOREFRESH = True
