import django.db.models.expressions
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0009_profit_of_scores"),
    ]

    operations = [
        migrations.CreateModel(
            name="ContractTotal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("owner", models.CharField(choices=[("customer", "Customer"), ("company", "Company")], max_length=10)),
                ("owner_id", models.BigIntegerField()),
                ("contracts", models.PositiveIntegerField()),
                ("value_cents", models.BigIntegerField()),
                ("low_cents", models.BigIntegerField()),
                ("high_cents", models.BigIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("owner", "owner_id"), name="one_total_of_contracts_per_owner")
                ],
            },
        ),
        migrations.CreateModel(
            name="ContractValue",
            fields=[
                ("contract_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("run_id", models.BigIntegerField()),
                ("as_of", models.DateField()),
                ("model", models.CharField(max_length=30)),
                ("renewals", models.PositiveSmallIntegerField()),
                ("due_on", models.DateField()),
                ("is_overdue", models.BooleanField(default=False)),
                ("p_renew", models.FloatField(null=True)),
                ("left_cents", models.BigIntegerField()),
                ("stake_cents", models.BigIntegerField()),
                ("beyond_cents", models.BigIntegerField()),
                ("value_cents", models.BigIntegerField()),
                ("low_cents", models.BigIntegerField()),
                ("high_cents", models.BigIntegerField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("p_renew__isnull", True),
                            models.Q(("p_renew__gte", 0), ("p_renew__lte", 1)),
                            _connector="OR",
                        ),
                        name="a_renewal_has_a_chance",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "value_cents",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("left_cents"), "+", models.F("beyond_cents")
                                ),
                            )
                        ),
                        name="value_is_what_is_left_and_beyond",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("high_cents__gte", models.F("low_cents"))), name="an_interval_goes_upwards"
                    ),
                ],
            },
        ),
    ]
