from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0007_alerts")]

    operations = [
        migrations.AddField(
            model_name="business",
            name="hides_first_steps",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name="user",
            name="session_epoch",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
    ]
