-- The one door through which postings go: a demo that is removed again takes its points along.
CREATE OR REPLACE FUNCTION loyalty_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('perennial.removing_demo', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'Postings and allocations are never changed or removed.' USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION loyalty_remove_demo(customers bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    accounts bigint[] := ARRAY(SELECT id FROM loyalty_account WHERE customer_id = ANY(customers));
BEGIN
    IF NOT EXISTS (SELECT FROM core_business WHERE is_demo) THEN
        RAISE EXCEPTION 'Only the points of a demo can be removed.' USING ERRCODE = 'restrict_violation';
    END IF;
    PERFORM set_config('perennial.removing_demo', 'on', true);
    DELETE FROM loyalty_adjustment WHERE customer_id = ANY(customers);
    DELETE FROM loyalty_hold WHERE account_id = ANY(accounts);
    DELETE FROM loyalty_allocation WHERE posting_id IN (SELECT id FROM loyalty_posting WHERE account_id = ANY(accounts));
    DELETE FROM loyalty_lot WHERE account_id = ANY(accounts);
    DELETE FROM loyalty_posting WHERE account_id = ANY(accounts);
    DELETE FROM loyalty_account WHERE id = ANY(accounts);
    PERFORM set_config('perennial.removing_demo', '', true);
    RETURN cardinality(accounts);
END $$;
COMMENT ON FUNCTION loyalty_remove_demo IS
    'Removes the accounts of customers of a demo with all that is in them. The only way to remove postings.';
