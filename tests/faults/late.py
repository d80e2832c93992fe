"""The tests' settings with answers that leave a moment after their work is done: a kill finds them in between."""

from tests.settings import *  # noqa: F403
from tests.settings import MIDDLEWARE

MIDDLEWARE = ["tests.faults.slow_urls.LateAnswer", *MIDDLEWARE]
