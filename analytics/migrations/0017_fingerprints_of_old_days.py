"""Days that were added up before they had fingerprints are added up again by the next night."""

from django.db import migrations

AGAIN = """
UPDATE core_cursor SET xid = '0'
WHERE reaction = 'day totals' AND EXISTS (SELECT 1 FROM analytics_daytotals WHERE fingerprint = 0)
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0016_order_days_and_moved_baskets")]

    operations = [migrations.RunSQL(AGAIN, migrations.RunSQL.noop)]
