"""The tests' settings with two pages of their own: one that answers at once and one that takes its time."""

from tests.settings import *  # noqa: F403

ROOT_URLCONF = "tests.faults.slow_urls"
ACCESS_TABLE = "tests.faults.slow_urls.TABLE"
