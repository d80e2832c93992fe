"""What Django's models cannot say: folding for search, and settings that are fixed once orders exist."""

from django.db import migrations

FOLD = """
CREATE FUNCTION perennial_fold(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    RETURN lower(public.unaccent('public.unaccent'::regdictionary, value));
COMMENT ON FUNCTION perennial_fold IS 'Lower case without accents: Łódź and lodz are the same. For search columns.';
"""

FIXED = """
CREATE FUNCTION perennial_zone_and_currency_are_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM customers_order) OR EXISTS (SELECT FROM customers_unmatchedreturn) THEN
        RAISE EXCEPTION 'Time zone and currency are fixed once orders exist.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'zone_and_currency_are_fixed_once_orders_exist';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER zone_and_currency_are_fixed_once_orders_exist
    BEFORE UPDATE OF time_zone, currency ON core_business FOR EACH ROW
    WHEN (OLD.time_zone IS DISTINCT FROM NEW.time_zone OR OLD.currency IS DISTINCT FROM NEW.currency)
    EXECUTE FUNCTION perennial_zone_and_currency_are_fixed();
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_facts"), ("core", "0001_facts")]

    operations = [
        migrations.RunSQL(FOLD, "DROP FUNCTION perennial_fold(text)"),
        migrations.RunSQL(
            FIXED,
            "DROP TRIGGER zone_and_currency_are_fixed_once_orders_exist ON core_business;"
            "DROP FUNCTION perennial_zone_and_currency_are_fixed()",
        ),
    ]
