import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0017_tell"),
        ("loyalty", "0020_few_accounts_are_merged"),
    ]

    operations = [
        migrations.AddField(
            model_name="adjustment",
            name="asked_program",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="core.apikey",
            ),
        ),
        migrations.AddField(
            model_name="adjustment",
            name="decided_program",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="core.apikey",
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_program__isnull", True),
                    ("asked_program__isnull", True),
                    models.Q(("decided_program", models.F("asked_program")), _negated=True),
                    _connector="OR",
                ),
                name="no_program_approves_its_own_adjustment",
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(("asked_by__isnull", True), ("asked_program__isnull", True), _connector="OR"),
                name="one_asks_for_an_adjustment",
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(("decided_by__isnull", True), ("decided_program__isnull", True), _connector="OR"),
                name="one_decides_on_an_adjustment",
            ),
        ),
    ]
