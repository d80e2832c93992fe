"""The partitioned table of scores: one partition a run, sort indexes only where people sort (analytics.partitions)."""

from django.db import migrations

SCORE = """
CREATE TABLE analytics_score (
    run_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    orders integer NOT NULL,
    order_days integer NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    age_days integer NOT NULL,
    last_age_days integer NOT NULL,
    value_cents bigint NOT NULL,
    historic_cents bigint NOT NULL,
    p_alive double precision,
    churn_risk double precision,
    churn_band smallint NOT NULL,
    expected_orders double precision,
    order_margin_cents bigint,
    clv_cents bigint,
    clv_low_cents bigint,
    clv_high_cents bigint,
    usual_gap_days double precision,
    r smallint NOT NULL,
    f smallint NOT NULL,
    m smallint NOT NULL,
    segment smallint NOT NULL,
    previous_segment smallint NOT NULL,
    segment_changed_on date NOT NULL,
    CONSTRAINT a_probability_is_between_0_and_1
        CHECK (p_alive BETWEEN 0 AND 1 AND churn_risk BETWEEN 0 AND 1),
    CONSTRAINT expected_orders_are_finite
        CHECK (expected_orders >= 0 AND expected_orders < 'infinity')
) PARTITION BY LIST (run_id);
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0001_facts")]

    operations = [migrations.RunSQL(SCORE, "DROP TABLE analytics_score")]
