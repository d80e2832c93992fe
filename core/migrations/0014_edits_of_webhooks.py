from django.db import migrations

KEEP = """
SELECT perennial_keep_edits_of('core_webhook', 'core_webhook', 'id', ARRAY['url', 'description', 'events', 'state']);
"""
UNDO = "DROP TRIGGER edits_are_kept ON core_webhook; DROP TRIGGER coming_and_going_is_kept ON core_webhook"


class Migration(migrations.Migration):
    dependencies = [("core", "0013_webhooks")]

    operations = [migrations.RunSQL(KEEP, UNDO)]
