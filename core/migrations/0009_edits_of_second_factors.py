from django.db import migrations

KEEP = "SELECT perennial_keep_edits_of('mfa_authenticator', 'core_user', 'user_id', ARRAY['type']);"
FORGET = """
DROP TRIGGER edits_are_kept ON mfa_authenticator; DROP TRIGGER coming_and_going_is_kept ON mfa_authenticator;
"""


class Migration(migrations.Migration):
    """Who set a second factor up or took one away belongs to the history of the person."""

    dependencies = [("core", "0008_session_epoch"), ("mfa", "0003_authenticator_type_uniq")]

    operations = [migrations.RunSQL(KEEP, FORGET)]
