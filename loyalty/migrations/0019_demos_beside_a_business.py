from pathlib import Path

from django.db import migrations

FUNCTIONS = (Path(__file__).parent / "sql" / "ledger_3.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0018_daily_sums_of_points"), ("customers", "0001_facts")]

    operations = [migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop)]
