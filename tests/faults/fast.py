"""The tests' settings with a clock that runs faster: a sweeper every second, and a night that is due at any hour."""

from crm import schedule
from tests.settings import *  # noqa: F403

schedule.NIGHT_HOUR = 0
CELERY_BEAT_SCHEDULE = {
    name: entry | {"schedule": 1.0, "options": {"expires": 5}} for name, entry in schedule.BEAT.items()
}
