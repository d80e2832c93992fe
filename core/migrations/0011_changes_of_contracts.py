from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0010_changes_of_costs"),
    ]

    operations = [
        migrations.AlterField(
            model_name="change",
            name="kind",
            field=models.CharField(
                choices=[
                    ("customer_orders", "Customer Orders"),
                    ("order", "Order"),
                    ("day", "Day"),
                    ("customer_costs", "Customer Costs"),
                    ("acquisition", "Acquisition"),
                    ("contract", "Contract"),
                ],
                max_length=24,
            ),
        ),
    ]
