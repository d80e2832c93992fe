from django.db import migrations, models
from django.db.models import Q

# A name that somebody gave is not made singular by guessing.
KEEP = "UPDATE loyalty_programme SET point_name = points_name WHERE points_name <> 'points'"


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0014_demos_take_their_tiers_along")]

    operations = [
        migrations.AddField(
            model_name="programme",
            name="point_name",
            field=models.CharField(default="point", max_length=40, verbose_name="what one point is called"),
        ),
        migrations.RunSQL(KEEP, migrations.RunSQL.noop),
        migrations.RemoveConstraint(model_name="programme", name="a_programme_has_names"),
        migrations.AddConstraint(
            model_name="programme",
            constraint=models.CheckConstraint(
                condition=~Q(name="") & ~Q(point_name="") & ~Q(points_name=""), name="a_programme_has_names"
            ),
        ),
    ]
