import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0020_two_people"),
    ]

    operations = [
        migrations.AlterField(
            model_name="membership",
            name="segment",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="memberships",
                to="customers.segment",
            ),
        ),
        # Room for those who move in a night; the space they leave is room for the next ones.
        migrations.RunSQL(
            "ALTER TABLE customers_membership SET (fillfactor = 95)",
            "ALTER TABLE customers_membership RESET (fillfactor)",
        ),
    ]
