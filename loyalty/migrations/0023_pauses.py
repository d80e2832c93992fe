import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

# A trigger knows its columns from the beginning: it is made again with those that came since.
WATCH = """
DROP TRIGGER edits_are_kept ON loyalty_programme;
DROP TRIGGER coming_and_going_is_kept ON loyalty_programme;
SELECT perennial_keep_edits_of('loyalty_programme', 'loyalty_programme', 'id', ARRAY['name', 'points_name', 'opened_at',
    'credit_from', 'pending_days', 'earn_base', 'expiry', 'expiry_months', 'expiry_period', 'expiry_month',
    'expiry_day', 'refund_policy', 'grace_days', 'adjust_limit', 'hold_minutes', 'worth_cents'{more}]);
"""


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("loyalty", "0022_demos_with_merged_customers"),
    ]

    operations = [
        migrations.AddField(
            model_name="programme",
            name="paused_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="paused"),
        ),
        migrations.AddConstraint(
            model_name="programme",
            constraint=models.CheckConstraint(
                condition=Q(paused_at__isnull=True) | Q(opened_at__isnull=False),
                name="only_a_programme_that_is_on_pauses",
            ),
        ),
        migrations.CreateModel(
            name="Pause",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField()),
                ("counts_orders", models.BooleanField(default=False)),
                ("credited_at", models.DateTimeField(null=True)),
                (
                    "ended_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(ended_at__gt=F("began_at")), name="a_pause_ends_after_it_begins"
                    ),
                    models.CheckConstraint(
                        condition=Q(credited_at__isnull=True) | Q(counts_orders=True),
                        name="only_what_counts_is_credited",
                    ),
                ],
            },
        ),
        migrations.RunSQL(WATCH.format(more=", 'point_name', 'paused_at'"), WATCH.format(more="")),
    ]
