from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0015_portal"),
    ]

    operations = [
        migrations.AddField(
            model_name="business",
            name="has_loyalty",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
    ]
