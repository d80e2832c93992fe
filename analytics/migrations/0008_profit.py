from decimal import Decimal

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0007_refunds_of_summaries"),
    ]

    operations = [
        migrations.CreateModel(
            name="ChannelMonth",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "channel", "month", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("channel", models.CharField(max_length=60)),
                ("month", models.DateField()),
                ("customers", models.IntegerField()),
                ("amount_cents", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="AppliedUnitCosts",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("order_cents", models.DecimalField(decimal_places=4, default=Decimal("0"), max_digits=14)),
                ("return_cents", models.DecimalField(decimal_places=4, default=Decimal("0"), max_digits=14)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="unit_costs_are_applied_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Profit",
            fields=[
                ("customer_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("acquired_on", models.DateField(null=True)),
                ("channel", models.CharField(max_length=60)),
                ("acquisition_cents", models.BigIntegerField()),
                ("margin_cents", models.BigIntegerField()),
                ("cost_cents", models.BigIntegerField()),
                ("other_cents", models.BigIntegerField()),
                ("profitable_on", models.DateField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["channel", "acquired_on"], name="customers_won_by_a_channel")],
            },
        ),
    ]
