"""More of each customer's order days: what the models of regular buyers, of heavy-tailed spend and of trends read.

The rows are derived: the next night makes them all anew.
"""

from datetime import date

from django.db import migrations, models

START_ANEW = "TRUNCATE analytics_purchasesummary; DELETE FROM core_cursor WHERE reaction = 'purchase summaries'"


def column(name, kind, default):
    return migrations.AddField("purchasesummary", name, kind(default=default), preserve_default=False)


class Migration(migrations.Migration):
    dependencies = [("analytics", "0003_scores_that_can_be"), ("core", "0001_facts")]

    operations = [
        migrations.RunSQL(START_ANEW, migrations.RunSQL.noop),
        column("prior_on", models.DateField, date(1970, 1, 1)),
        column("log_gaps", models.FloatField, 0.0),
        column("paid_days", models.IntegerField, 0),
        column("log_value", models.FloatField, 0.0),
        column("log_value_sq", models.FloatField, 0.0),
    ]
