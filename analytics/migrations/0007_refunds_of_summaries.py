"""What came back of each customer's orders: a reason for the risk to lose her."""

from django.db import migrations, models

START_ANEW = "TRUNCATE analytics_purchasesummary; DELETE FROM core_cursor WHERE reaction = 'purchase summaries'"


class Migration(migrations.Migration):
    dependencies = [("analytics", "0006_cohorts")]

    operations = [
        migrations.RunSQL(START_ANEW, migrations.RunSQL.noop),
        migrations.AddField(
            "purchasesummary", "refunded_cents", models.BigIntegerField(default=0), preserve_default=False
        ),
    ]
