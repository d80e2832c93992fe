"""When things happen: the doorbells and the beat. All times are written here."""

from celery.schedules import crontab

# Which tasks answer which bell (core.doorbell).
DOORBELLS: dict[str, list[str]] = {
    "jobs": ["crm.tasks.work"],
    "long_jobs": ["crm.tasks.work_long"],
    "own_data": ["crm.tasks.clear_demo"],
    "bulk_tags": ["crm.tasks.tag_many"],
    "bulk_codes": ["loyalty.tasks.make_codes"],
    "tier_rules": ["crm.tasks.look_at_tiers"],
    "orders": ["crm.tasks.roll_up_days", "loyalty.tasks.credit"],
    "invitations": ["crm.tasks.send_invitations"],
    "webhooks": ["crm.tasks.tell_webhooks"],
    "sign_in_codes": ["crm.tasks.send_codes"],
    "alerts": ["crm.tasks.send_alert_mails"],
}

# The night starts at this hour in the business's time zone, for the day that just ended.
NIGHT_HOUR = 2

# A look that nobody took before the next one came is worth nothing: without a worker they do not pile up.
BEAT = {
    # Looks whether the night is due; the row it makes is unique, so that asking often does no harm.
    "night": {"task": "crm.tasks.night_if_due", "schedule": crontab(minute="*/5"), "options": {"expires": 280}},
    # The guarantee behind every doorbell.
    "sweep": {"task": "crm.tasks.sweep", "schedule": crontab(), "options": {"expires": 55}},
    # What needs a person, and the sign that beat and worker live.
    "watch": {"task": "crm.tasks.watch", "schedule": crontab(), "options": {"expires": 55}},
}
