from pathlib import Path

from django.db import migrations

FUNCTIONS = (Path(__file__).parent / "sql" / "ledger_2.sql").read_text(encoding="utf-8")
UNDO = """
CREATE OR REPLACE FUNCTION loyalty_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Postings and allocations are never changed or removed.' USING ERRCODE = 'restrict_violation';
END $$;
DROP FUNCTION loyalty_remove_demo;
"""


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0011_invitations_by_friends")]

    operations = [migrations.RunSQL(FUNCTIONS, UNDO)]
