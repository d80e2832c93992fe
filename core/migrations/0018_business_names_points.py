from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0017_tell")]

    operations = [
        migrations.AddField(
            model_name="business",
            name="point_name",
            field=models.CharField(db_default="point", default="point", editable=False, max_length=40),
        ),
        migrations.AddField(
            model_name="business",
            name="points_name",
            field=models.CharField(db_default="points", default="points", editable=False, max_length=40),
        ),
    ]
