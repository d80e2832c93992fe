"""What a customer costs beside what she is worth. Scores from before have cost nothing and tell no day."""

from django.db import migrations

COLUMNS = {
    "acquisition_cents": "bigint NOT NULL DEFAULT 0",
    "cost_cents": "bigint NOT NULL DEFAULT 0",
    "expected_cost_cents": "bigint",
    "textbook_cents": "bigint",
    "profitable_on": "date",
}
CHECK = "acquisition_cents >= 0 AND expected_cost_cents >= 0 AND textbook_cents >= 0"
ADD = ", ".join(f"ADD COLUMN {name} {kind}" for name, kind in COLUMNS.items())
DROP = ", ".join(f"DROP COLUMN {name}" for name in COLUMNS)


class Migration(migrations.Migration):
    dependencies = [("analytics", "0008_profit")]

    operations = [
        migrations.RunSQL(
            f"ALTER TABLE analytics_score {ADD}, ADD CONSTRAINT costs_are_not_negative CHECK ({CHECK})",
            f"ALTER TABLE analytics_score {DROP}",
        )
    ]
