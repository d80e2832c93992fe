"""The project's settings on a home of the tests' own, so that no test ever meets somebody's data.

The home's servers skip fsync: a crash of the machine may cost the tests' data, a killed server may not.
Each xdist worker has a home and servers of its own: a night waits until no older transaction of the whole server is
open (core/feed.py), and so would wait for whatever test the other worker is at.
"""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
HOME = Path(os.environ.get("PERENNIAL_HOME", BASE_DIR / "var" / "test"))
# A process that a test starts has the worker's environment, this home in it.
os.environ["PERENNIAL_HOME"] = str(HOME if HOME.name == WORKER else HOME / WORKER)
os.environ.setdefault("PERENNIAL_DURABLE", "0")

from core import embedded  # noqa: E402
from crm.settings import *  # noqa: E402, F403
from crm.settings import CACHES, PERENNIAL_HOME, REDIS_URL, STORAGES  # noqa: E402

if not os.environ.get("REDIS_URL"):
    REDIS_URL = f"{embedded.redis_url(PERENNIAL_HOME)}?db=1"
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
