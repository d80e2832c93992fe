from django.db import migrations

# The one door through which moves go, as for postings: a demo that is removed again takes its tiers along.
FUNCTIONS = """
CREATE OR REPLACE FUNCTION perennial_moves_stand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('perennial.removing_demo', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'Moves between tiers are never changed or removed.' USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION loyalty_remove_demo_tiers(customers bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    removed bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM core_business WHERE is_demo) THEN
        RAISE EXCEPTION 'Only the tiers of a demo can be removed.' USING ERRCODE = 'restrict_violation';
    END IF;
    PERFORM set_config('perennial.removing_demo', 'on', true);
    DELETE FROM loyalty_move WHERE customer_id = ANY(customers);
    PERFORM set_config('perennial.removing_demo', '', true);
    DELETE FROM loyalty_tiernotice WHERE customer_id = ANY(customers);
    DELETE FROM loyalty_birthdaygiven WHERE customer_id = ANY(customers);
    UPDATE loyalty_event e SET taken = e.taken - gone.places FROM (
        SELECT event_id, count(*) AS places FROM loyalty_reply
        WHERE customer_id = ANY(customers) AND state = 'yes' GROUP BY event_id
    ) gone WHERE gone.event_id = e.id;
    DELETE FROM loyalty_reply WHERE customer_id = ANY(customers);
    DELETE FROM loyalty_standing WHERE customer_id = ANY(customers);
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END $$;
COMMENT ON FUNCTION loyalty_remove_demo_tiers IS
    'Removes tiers, moves, notices and replies of customers of a demo. The only way to remove moves.';
"""
UNDO = """
CREATE OR REPLACE FUNCTION perennial_moves_stand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Moves between tiers are never changed or removed.' USING ERRCODE = 'restrict_violation';
END $$;
DROP FUNCTION loyalty_remove_demo_tiers;
"""


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0013_tell")]

    operations = [migrations.RunSQL(FUNCTIONS, UNDO)]
