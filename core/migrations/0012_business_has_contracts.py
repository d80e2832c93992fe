from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0011_changes_of_contracts"),
    ]

    operations = [
        migrations.AddField(
            model_name="business",
            name="has_contracts",
            field=models.BooleanField(default=False, editable=False),
        ),
    ]
