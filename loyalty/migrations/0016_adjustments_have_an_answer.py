from django.db import migrations, models

# Who asked and who decided stand in the audit log, too; what they wrote stays in the row, where it can be erased.
KEEP = """
SELECT perennial_keep_edits_of('loyalty_adjustment', 'loyalty_adjustment', 'id', ARRAY['customer_id', 'points', 'state'])
"""
UNDO = """
DROP TRIGGER edits_are_kept ON loyalty_adjustment; DROP TRIGGER coming_and_going_is_kept ON loyalty_adjustment
"""


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0015_one_point_has_a_name")]

    operations = [
        migrations.AddField(
            model_name="adjustment",
            name="answer",
            field=models.CharField(blank=True, db_default="", default="", max_length=300, verbose_name="answer"),
        ),
        migrations.RunSQL(KEEP, UNDO),
    ]
