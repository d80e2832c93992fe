"""What no score may be, whatever the engine says: PostgreSQL refuses it."""

from django.db import migrations

CHECKS = {
    "value_is_not_negative": "clv_cents >= 0 AND order_margin_cents >= 0",
    "ages_are_those_of_a_history": "last_age_days >= 0 AND age_days >= last_age_days",
    "orders_make_order_days": "order_days >= 0 AND orders >= order_days",
    "who_has_no_order_has_no_prediction": "(order_days = 0) = (clv_cents IS NULL) AND (order_days = 0) = (segment = 0)",
    "segments_and_bands_are_known": (
        "segment BETWEEN 0 AND 10 AND previous_segment BETWEEN 0 AND 10 AND churn_band BETWEEN 0 AND 3"
    ),
}
ADD = ", ".join(f"ADD CONSTRAINT {name} CHECK ({check})" for name, check in CHECKS.items())
DROP = ", ".join(f"DROP CONSTRAINT {name}" for name in CHECKS)


class Migration(migrations.Migration):
    dependencies = [("analytics", "0002_score_partitions")]

    operations = [migrations.RunSQL(f"ALTER TABLE analytics_score {ADD}", f"ALTER TABLE analytics_score {DROP}")]
