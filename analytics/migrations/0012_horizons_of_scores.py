"""Value over 36 months and a lifetime, the next order, and how many orders may come; earlier scores do not tell.

What earlier runs learned is put in the form in which runs keep it from now on.
"""

from django.db import migrations

COLUMNS = {
    "clv_36m_cents": "bigint",
    "clv_lifetime_cents": "bigint",
    "next_order_on": "date",
    "orders_low": "double precision",
    "orders_high": "double precision",
}
CHECKS = {
    "longer_horizons_are_worth_more": "clv_36m_cents >= clv_cents AND clv_lifetime_cents >= clv_36m_cents",
    "intervals_have_a_low_and_a_high_end": "clv_low_cents BETWEEN 0 AND clv_high_cents AND orders_low <= orders_high",
}
ADD = ", ".join(
    [f"ADD COLUMN {name} {kind}" for name, kind in COLUMNS.items()]
    + [f"ADD CONSTRAINT {name} CHECK ({check})" for name, check in CHECKS.items()]
)
DROP = ", ".join(
    [f"DROP CONSTRAINT {name}" for name in CHECKS] + [f"DROP COLUMN {name}" for name in COLUMNS],
)


def move_what_runs_learned(apps, schema_editor):
    runs = apps.get_model("core", "Run")
    for run in runs.objects.filter(model__fitted__has_key="mbgnbd"):
        run.model["fitted"] = moved(run.model["fitted"])
        run.save(update_fields=["model"])


def moved(old):
    gamma = old.pop("gamma_gamma")
    uses_gamma = old.pop("spend_model") == "Gamma-Gamma"
    spend = {name: gamma[name] for name in ("p", "q", "gamma")} if uses_gamma else {"mean_spend": old["mean_spend"]}
    fits = {name: old.pop(key) for name, key in (("BG/NBD", "bgnbd"), ("MBG/NBD", "mbgnbd"))}
    return old | {
        "purchase": {"model": "MBG/NBD", **old["purchase"]},
        "corrected": {},
        "fits": {name: found for name, found in fits.items() if found},
        "spend": {
            "model": "Gamma-Gamma" if uses_gamma else "Shrunken mean",
            "customers": old["repeat_customers"],
            **spend,
        },
        "gamma_gamma": gamma,
        "levels": {"orders": 1.0, "spend": 1.0},
        "widths": None,
        "calibration": None,
    }


class Migration(migrations.Migration):
    dependencies = [("analytics", "0011_schemes_and_plans"), ("core", "0001_facts")]

    operations = [
        migrations.RunSQL(f"ALTER TABLE analytics_score {ADD}", f"ALTER TABLE analytics_score {DROP}"),
        migrations.RunPython(move_what_runs_learned, migrations.RunPython.noop),
    ]
