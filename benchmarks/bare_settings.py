"""The project's settings with the floor's route and without a limit of calls."""

from crm.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.bare"
ACCESS_TABLE = "benchmarks.bare.TABLE"
API_CALLS_PER_MINUTE = 10**9
