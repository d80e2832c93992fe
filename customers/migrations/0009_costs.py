import django.db.models.deletion
from django.db import migrations, models

EDITS = """
SELECT perennial_keep_edits_of('customers_acquisitioncost', 'customers_acquisitioncost', 'id', ARRAY['channel', 'month',
    'amount_cents', 'note']);
SELECT perennial_keep_edits_of('customers_unitcost', 'customers_unitcost', 'id', ARRAY['kind', 'unit_cents']);
"""
UNDO = """
DROP TRIGGER edits_are_kept ON customers_acquisitioncost;
DROP TRIGGER coming_and_going_is_kept ON customers_acquisitioncost;
DROP TRIGGER edits_are_kept ON customers_unitcost; DROP TRIGGER coming_and_going_is_kept ON customers_unitcost
"""
# Merging customers repoints their costs; nothing else of a cost ever changes.
STAND = """
CREATE FUNCTION perennial_costs_stand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - 'customer_id' <> to_jsonb(OLD) - 'customer_id' THEN
        RAISE EXCEPTION 'Costs are never changed: tell another one with a quantity below zero.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER costs_are_not_changed BEFORE UPDATE ON customers_cost
    FOR EACH ROW EXECUTE FUNCTION perennial_costs_stand();
"""
FALL = "DROP TRIGGER costs_are_not_changed ON customers_cost; DROP FUNCTION perennial_costs_stand"


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0008_custom_fields"),
    ]

    operations = [
        migrations.CreateModel(
            name="AcquisitionCost",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("channel", models.CharField(blank=True, max_length=60, verbose_name="channel")),
                ("month", models.DateField(verbose_name="month")),
                ("amount_cents", models.BigIntegerField(verbose_name="amount")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
            ],
            options={
                "verbose_name": "acquisition cost",
                "verbose_name_plural": "acquisition costs",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("channel", "month"), name="one_acquisition_cost_per_channel_and_month"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_cents__gte", 0)), name="an_acquisition_cost_is_not_negative"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("month__day", 1)), name="a_month_is_named_by_its_first_day"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="UnitCost",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("order", "Order handled"),
                            ("return", "Return handled"),
                            ("email", "E-mail"),
                            ("sms", "Text message"),
                            ("reward", "Reward handed out"),
                            ("case", "Case worked on"),
                            ("other", "Other"),
                        ],
                        max_length=10,
                        unique=True,
                        verbose_name="kind",
                    ),
                ),
                (
                    "unit_cents",
                    models.DecimalField(decimal_places=4, default=0, max_digits=14, verbose_name="unit cost"),
                ),
            ],
            options={
                "verbose_name": "unit cost",
                "verbose_name_plural": "unit costs",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["order", "return", "email", "sms", "reward", "case", "other"])
                        ),
                        name="a_unit_cost_is_of_a_known_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("unit_cents__gte", 0)), name="a_unit_cost_is_not_negative"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Cost",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=60)),
                ("external_id", models.CharField(max_length=200)),
                ("spent_on", models.DateField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("order", "Order handled"),
                            ("return", "Return handled"),
                            ("email", "E-mail"),
                            ("sms", "Text message"),
                            ("reward", "Reward handed out"),
                            ("case", "Case worked on"),
                            ("other", "Other"),
                        ],
                        max_length=10,
                    ),
                ),
                ("quantity", models.DecimalField(decimal_places=3, max_digits=14)),
                ("unit_cents", models.DecimalField(decimal_places=4, max_digits=14)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="costs", to="customers.customer"
                    ),
                ),
            ],
            options={
                "verbose_name": "cost",
                "verbose_name_plural": "costs",
                "indexes": [models.Index(fields=["spent_on"], name="costs_of_a_day")],
                "constraints": [
                    models.UniqueConstraint(fields=("source", "external_id"), name="one_cost_per_source_and_id"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["email", "sms", "reward", "case", "other"])),
                        name="a_cost_is_of_a_known_kind_that_is_not_counted_elsewhere",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("unit_cents__gte", 0)), name="a_cost_of_a_unit_is_not_negative"
                    ),
                ],
            },
        ),
        migrations.RunSQL(EDITS, UNDO),
        migrations.RunSQL(STAND, FALL),
    ]
