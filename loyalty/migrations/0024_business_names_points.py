"""Pages know what points are called from the business's row, which they read anyway: no query more."""

from django.db import migrations, models

FOLLOW = """
CREATE OR REPLACE FUNCTION perennial_business_follows_the_programme() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE core_business SET has_loyalty = NEW.opened_at IS NOT NULL, point_name = NEW.point_name,
        points_name = NEW.points_name
    WHERE (has_loyalty, point_name, points_name) IS DISTINCT FROM
        (NEW.opened_at IS NOT NULL, NEW.point_name, NEW.points_name);
    RETURN NULL;
END $$;
DROP TRIGGER business_follows_the_programme ON loyalty_programme;
CREATE TRIGGER business_follows_the_programme AFTER INSERT OR UPDATE OF opened_at, point_name, points_name
    ON loyalty_programme FOR EACH ROW EXECUTE FUNCTION perennial_business_follows_the_programme();
UPDATE core_business b SET point_name = p.point_name, points_name = p.points_name FROM loyalty_programme p;
"""
UNDO = """
CREATE OR REPLACE FUNCTION perennial_business_follows_the_programme() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE core_business SET has_loyalty = NEW.opened_at IS NOT NULL
    WHERE has_loyalty <> (NEW.opened_at IS NOT NULL);
    RETURN NULL;
END $$;
DROP TRIGGER business_follows_the_programme ON loyalty_programme;
CREATE TRIGGER business_follows_the_programme AFTER INSERT OR UPDATE OF opened_at ON loyalty_programme
    FOR EACH ROW EXECUTE FUNCTION perennial_business_follows_the_programme();
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0018_business_names_points"), ("loyalty", "0023_pauses")]

    operations = [
        migrations.RunSQL(FOLLOW, UNDO),
        # Words of choices do not name points any more: a shop may call them otherwise.
        migrations.AlterField(
            model_name="programme",
            name="refund_policy",
            field=models.CharField(
                choices=[
                    ("only_pending", "Only what is not active yet"),
                    ("within_balance", "As many as the customer still has"),
                    ("allow_negative", "All of them: the balance may go below zero"),
                ],
                default="within_balance",
                max_length=14,
                verbose_name="a refund takes back",
            ),
        ),
        migrations.AlterField(
            model_name="tierplan",
            name="qualify_by",
            field=models.CharField(
                choices=[("points", "What is earned"), ("money", "Money spent")],
                default="points",
                max_length=10,
                verbose_name="qualify by",
            ),
        ),
        migrations.AlterField(
            model_name="referral",
            name="state",
            field=models.CharField(
                choices=[
                    ("pending", "Waits for the first order"),
                    ("held", "To be looked at"),
                    ("converted", "Has ordered: the return window runs"),
                    ("rewarded", "Rewarded"),
                    ("expired", "No order in time"),
                    ("refused", "Not a new customer"),
                    ("reversed", "The order came back"),
                    ("cancelled", "Cancelled"),
                ],
                default="pending",
                max_length=10,
            ),
        ),
    ]
