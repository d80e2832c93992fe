"""Pages know from the business's row, which they read anyway, whether there is a programme: no query more."""

from django.db import migrations

FOLLOW = """
CREATE FUNCTION perennial_business_follows_the_programme() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE core_business SET has_loyalty = NEW.opened_at IS NOT NULL
    WHERE has_loyalty <> (NEW.opened_at IS NOT NULL);
    RETURN NULL;
END $$;
CREATE TRIGGER business_follows_the_programme AFTER INSERT OR UPDATE OF opened_at ON loyalty_programme
    FOR EACH ROW EXECUTE FUNCTION perennial_business_follows_the_programme();
UPDATE core_business SET has_loyalty = EXISTS (SELECT 1 FROM loyalty_programme WHERE opened_at IS NOT NULL);
"""
UNDO = """
DROP TRIGGER business_follows_the_programme ON loyalty_programme;
DROP FUNCTION perennial_business_follows_the_programme();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0016_business_has_loyalty"),
        ("loyalty", "0008_referrals"),
    ]

    operations = [migrations.RunSQL(FOLLOW, UNDO)]
