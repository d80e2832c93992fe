-- A demo can also be looked at beside a business of one's own: then what is removed belongs to customers whom only the
-- demo knows, by source.
CREATE FUNCTION loyalty_are_of_a_demo(customers bigint[]) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM core_business WHERE is_demo) OR NOT EXISTS (
        SELECT FROM unnest(customers) AS c (id)
        WHERE NOT EXISTS (SELECT FROM customers_identity i WHERE i.customer_id = c.id AND i.source = 'demo')
            OR EXISTS (SELECT FROM customers_identity i WHERE i.customer_id = c.id AND i.source <> 'demo'))
$$;

CREATE OR REPLACE FUNCTION loyalty_remove_demo(customers bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    accounts bigint[] := ARRAY(SELECT id FROM loyalty_account WHERE customer_id = ANY(customers));
BEGIN
    IF NOT loyalty_are_of_a_demo(customers) THEN
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
CREATE OR REPLACE FUNCTION loyalty_remove_demo_tiers(customers bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    removed bigint;
BEGIN
    IF NOT loyalty_are_of_a_demo(customers) THEN
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
