"""The value of contracts within that of customers. Earlier scores have none; totals come with the next night."""

from django.db import migrations, models
from django.db.models import F, Q

COLUMNS = ("contract_cents", "contract_36m_cents", "contract_lifetime_cents")
BEFORE = {
    "value_is_not_negative": "clv_cents >= 0 AND order_margin_cents >= 0",
    "who_has_no_order_has_no_prediction": "(order_days = 0) = (clv_cents IS NULL) AND (order_days = 0) = (segment = 0)",
    "longer_horizons_are_worth_more": "clv_36m_cents >= clv_cents AND clv_lifetime_cents >= clv_36m_cents",
    "intervals_have_a_low_and_a_high_end": "clv_low_cents BETWEEN 0 AND clv_high_cents AND orders_low <= orders_high",
}
# What holds for the orders' part; a contract may be sold at a loss.
NOW = {
    "value_is_not_negative": "clv_cents >= contract_cents AND order_margin_cents >= 0",
    "who_has_no_order_has_no_prediction": (
        "(order_days = 0) = (p_alive IS NULL) AND (order_days = 0) = (segment = 0)"
        " AND (order_days = 0 OR clv_cents IS NOT NULL)"
    ),
    "longer_horizons_are_worth_more": (
        "clv_36m_cents - contract_36m_cents >= clv_cents - contract_cents"
        " AND clv_lifetime_cents - contract_lifetime_cents >= clv_36m_cents - contract_36m_cents"
    ),
    "intervals_have_a_low_and_a_high_end": "clv_low_cents <= clv_high_cents AND orders_low <= orders_high",
}


def checks(found):
    dropped = ", ".join(f"DROP CONSTRAINT {name}" for name in found)
    added = ", ".join(f"ADD CONSTRAINT {name} CHECK ({check})" for name, check in found.items())
    return f"ALTER TABLE analytics_score {dropped}, {added}"


ADD = ", ".join(f"ADD COLUMN {name} bigint NOT NULL DEFAULT 0" for name in COLUMNS)
DROP = ", ".join(f"DROP COLUMN {name}" for name in COLUMNS)
BOUNDS = "low_cents = least(low_cents, value_cents), high_cents = greatest(high_cents, value_cents)"
WIDEN = [f"UPDATE analytics_contractvalue SET {BOUNDS}", f"UPDATE analytics_contracttotal SET {BOUNDS}"]  # noqa: S608
WITHIN = Q(low_cents__lte=F("value_cents"), high_cents__gte=F("value_cents"))
YEAR_WITHIN = Q(year_low_cents__lte=F("year_cents"), year_high_cents__gte=F("year_cents"))
OF_TOTALS = ("year_cents", "year_low_cents", "year_high_cents", "three_years_cents", "lifetime_cents")


class Migration(migrations.Migration):
    dependencies = [("analytics", "0013_what_if_scenarios")]

    operations = [
        migrations.RunSQL(
            [f"ALTER TABLE analytics_score {ADD}", checks(NOW)], [checks(BEFORE), f"ALTER TABLE analytics_score {DROP}"]
        ),
        migrations.RunSQL(WIDEN, migrations.RunSQL.noop),
        migrations.RemoveConstraint("contractvalue", "an_interval_goes_upwards"),
        migrations.AddConstraint(
            "contractvalue", models.CheckConstraint(condition=WITHIN, name="value_of_a_contract_is_within_its_interval")
        ),
        *(migrations.AddField("contracttotal", name, models.BigIntegerField(default=0)) for name in OF_TOTALS),
        migrations.AddConstraint(
            "contracttotal",
            models.CheckConstraint(
                condition=WITHIN & YEAR_WITHIN, name="totals_of_contracts_are_within_their_intervals"
            ),
        ),
    ]
