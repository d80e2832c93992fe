-- The ledger of points, written by loyalty/ledger.py (docs/adr/0012-ledger.md says why in SQL).
-- A function is never changed here after a release: a later migration brings a file with the whole new function.
--
-- Inside: `acct` is the account's row, locked; a function that changes it gives it back and whoever began writes it once.
-- Outside: earn, spend, commit, release, give_back, take_back, merge give an outcome, the balance and the posting.

-- The account after a posting. Lifetime counters follow the kind: what came in, left or went for good.
CREATE FUNCTION loyalty_applied(acct loyalty_account, entry loyalty_posting) RETURNS loyalty_account
LANGUAGE plpgsql AS $$
DECLARE
    gained bigint := entry.points + entry.pending_points + entry.held_points;
BEGIN
    acct.balance := acct.balance + entry.points;
    acct.pending := acct.pending + entry.pending_points;
    acct.held := acct.held + entry.held_points;
    acct.may_owe := acct.may_owe AND acct.balance < 0;
    CASE
        WHEN entry.kind = 'earn' OR entry.kind = 'adjust' AND gained > 0 THEN acct.earned := acct.earned + gained;
        WHEN entry.kind IN ('redeem', 'commit', 'give_back') THEN acct.spent := acct.spent - gained;
        WHEN entry.kind = 'expire' THEN acct.expired := acct.expired - gained;
        WHEN entry.kind IN ('reverse', 'adjust') THEN acct.reversed := acct.reversed - gained;
        ELSE NULL;
    END CASE;
    RETURN acct;
END $$;

CREATE FUNCTION loyalty_write(acct loyalty_account) RETURNS void
LANGUAGE sql AS $$
    UPDATE loyalty_account SET balance = acct.balance, pending = acct.pending, held = acct.held, earned = acct.earned,
        spent = acct.spent, expired = acct.expired, reversed = acct.reversed, may_owe = acct.may_owe,
        due_at = acct.due_at, merged_into_id = acct.merged_into_id
    WHERE id = acct.id
$$;

CREATE FUNCTION loyalty_post(
    acct loyalty_account, its_kind text, its_key text, moment timestamptz, its_points bigint, its_pending bigint DEFAULT 0,
    its_held bigint DEFAULT 0, its_asked bigint DEFAULT 0, its_source bigint DEFAULT NULL, its_order bigint DEFAULT NULL,
    its_reason text DEFAULT '', its_author bigint DEFAULT NULL
) RETURNS loyalty_posting LANGUAGE plpgsql AS $$
DECLARE
    entry loyalty_posting;
BEGIN
    INSERT INTO loyalty_posting (account_id, customer_id, kind, points, pending_points, held_points, asked, key, at,
        source_id, order_id, reason, by_id)
    VALUES (acct.id, acct.customer_id, its_kind, its_points, its_pending, its_held, its_asked, its_key, moment,
        its_source, its_order, its_reason, its_author)
    RETURNING * INTO entry;
    RETURN entry;
END $$;

-- Takes up to so many points out of lots in that state, soonest-expiring first, then oldest; how many there were.
CREATE FUNCTION loyalty_take(acct_id bigint, entry_id bigint, wanted bigint, from_state text, only_of bigint DEFAULT NULL)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    lot record;
    part bigint;
    taken bigint := 0;
BEGIN
    IF wanted <= 0 THEN
        RETURN 0;
    END IF;
    FOR lot IN
        SELECT l.id, l.points_left FROM loyalty_lot l
        WHERE l.account_id = acct_id AND l.state <> 'empty' AND l.state = from_state
            AND (only_of IS NULL OR l.posting_id = only_of)
        ORDER BY l.expires_at, l.earned_at, l.id
    LOOP
        part := least(lot.points_left, wanted - taken);
        UPDATE loyalty_lot SET points_left = points_left - part,
            state = CASE WHEN points_left = part THEN 'empty' ELSE state END
        WHERE id = lot.id;
        INSERT INTO loyalty_allocation (posting_id, lot_id, points) VALUES (entry_id, lot.id, part);
        taken := taken + part;
        EXIT WHEN taken = wanted;
    END LOOP;
    RETURN taken;
END $$;

-- Puts points of another posting back into the lots that it took them from, the last one first, leaving out so many that
-- went back before. With grace, those whose lot has expired come as a new lot. When the next of them expires.
CREATE FUNCTION loyalty_refill(
    acct_id bigint, entry_id bigint, from_posting bigint, amount bigint, moment timestamptz, leave_out bigint DEFAULT 0,
    grace interval DEFAULT '0'
) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    piece record;
    late bigint := 0;
    late_earned timestamptz;
    due timestamptz;
BEGIN
    FOR piece IN
        SELECT l.id, l.expires_at, l.earned_at, least(a.upto, leave_out + amount) - greatest(a.upto - a.points, leave_out) AS points
        FROM (
            SELECT lot_id, points, sum(points) OVER (ORDER BY id DESC) AS upto FROM loyalty_allocation
            WHERE posting_id = from_posting AND points > 0
        ) a JOIN loyalty_lot l ON l.id = a.lot_id
        WHERE least(a.upto, leave_out + amount) > greatest(a.upto - a.points, leave_out)
    LOOP
        IF piece.expires_at <= moment AND grace > '0' THEN
            late := late + piece.points;
            late_earned := least(late_earned, piece.earned_at);
        ELSE
            UPDATE loyalty_lot SET points_left = points_left + piece.points, state = 'active' WHERE id = piece.id;
            INSERT INTO loyalty_allocation (posting_id, lot_id, points) VALUES (entry_id, piece.id, -piece.points);
            due := least(due, piece.expires_at);
        END IF;
    END LOOP;
    IF late > 0 THEN
        INSERT INTO loyalty_lot (account_id, posting_id, points, points_left, state, earned_at, active_at, expires_at)
        VALUES (acct_id, entry_id, late, late, 'active', late_earned, moment, moment + grace);
        due := least(due, moment + grace);
    END IF;
    RETURN due;
END $$;

-- What is below zero is paid out of what came in with this posting, which is in active lots by now.
CREATE FUNCTION loyalty_pay_debt(before loyalty_account, entry loyalty_posting) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF before.balance < 0 THEN
        PERFORM loyalty_take(before.id, entry.id, least(entry.points, -before.balance), 'active');
    END IF;
END $$;

CREATE FUNCTION loyalty_activate(acct loyalty_account, the_lot bigint) RETURNS loyalty_account
LANGUAGE plpgsql AS $$
DECLARE
    lot loyalty_lot;
    entry loyalty_posting;
BEGIN
    UPDATE loyalty_lot SET state = 'active' WHERE id = the_lot RETURNING * INTO lot;
    entry := loyalty_post(acct, 'activate', 'activate:lot:' || lot.id, lot.active_at, lot.points_left, -lot.points_left,
        its_asked => lot.points_left, its_source => lot.posting_id);
    PERFORM loyalty_pay_debt(acct, entry);
    RETURN loyalty_applied(acct, entry);
END $$;

-- Closes an open hold: its points go back into their lots.
CREATE FUNCTION loyalty_let_go(
    INOUT acct loyalty_account, the_hold bigint, its_key text, moment timestamptz, OUT entry loyalty_posting
) LANGUAGE plpgsql AS $$
DECLARE
    h loyalty_hold;
BEGIN
    SELECT * INTO h FROM loyalty_hold WHERE id = the_hold;
    entry := loyalty_post(acct, 'release', its_key, moment, h.points, 0, -h.points, h.points, h.posting_id);
    UPDATE loyalty_hold SET state = 'released', closed_by_id = entry.id WHERE id = h.id;
    acct.due_at := least(acct.due_at, loyalty_refill(acct.id, entry.id, h.posting_id, h.points, moment));
    PERFORM loyalty_pay_debt(acct, entry);
    acct := loyalty_applied(acct, entry);
END $$;

-- A lot can expire again when points came back to it after it had.
CREATE FUNCTION loyalty_expire(acct loyalty_account, the_lot bigint) RETURNS loyalty_account
LANGUAGE plpgsql AS $$
DECLARE
    lot loyalty_lot;
    entry loyalty_posting;
    times_before bigint;
BEGIN
    SELECT * INTO lot FROM loyalty_lot WHERE id = the_lot;
    SELECT count(*) INTO times_before FROM loyalty_allocation a JOIN loyalty_posting p ON p.id = a.posting_id
    WHERE a.lot_id = lot.id AND p.kind = 'expire';
    entry := loyalty_post(acct, 'expire', concat_ws(':', 'expire:lot', lot.id, nullif(times_before, 0)), lot.expires_at,
        -lot.points_left, its_asked => lot.points_left, its_source => lot.posting_id);
    UPDATE loyalty_lot SET points_left = 0, state = 'empty' WHERE id = lot.id;
    INSERT INTO loyalty_allocation (posting_id, lot_id, points) VALUES (entry.id, lot.id, lot.points_left);
    RETURN loyalty_applied(acct, entry);
END $$;

-- Posts what time has decided by then, in the order in which it happened, and looks when the next thing is due.
CREATE FUNCTION loyalty_settled(acct loyalty_account, moment timestamptz) RETURNS loyalty_account
LANGUAGE plpgsql AS $$
DECLARE
    next record;
BEGIN
    LOOP
        SELECT * INTO next FROM (
            SELECT l.active_at AS due, 1 AS turn, l.id FROM loyalty_lot l
            WHERE l.account_id = acct.id AND l.state <> 'empty' AND l.state = 'pending'
            UNION ALL
            SELECT h.until, 2, h.id FROM loyalty_hold h WHERE h.account_id = acct.id AND h.state = 'open'
            UNION ALL
            SELECT l.expires_at, 3, l.id FROM loyalty_lot l
            WHERE l.account_id = acct.id AND l.state <> 'empty' AND l.state = 'active' AND l.expires_at IS NOT NULL
        ) event ORDER BY due, turn, id LIMIT 1;
        EXIT WHEN NOT FOUND OR next.due > moment;
        acct := CASE next.turn
            WHEN 1 THEN loyalty_activate(acct, next.id)
            WHEN 2 THEN (loyalty_let_go(acct, next.id, 'release:hold:' || next.id, next.due)).acct
            ELSE loyalty_expire(acct, next.id)
        END;
    END LOOP;
    acct.due_at := next.due;
    RETURN acct;
END $$;

-- The end of every change: what it made due is settled, and the account's row is written.
CREATE FUNCTION loyalty_close(acct loyalty_account, moment timestamptz) RETURNS loyalty_account
LANGUAGE plpgsql AS $$
BEGIN
    IF acct.due_at <= moment THEN
        acct := loyalty_settled(acct, moment);
    END IF;
    PERFORM loyalty_write(acct);
    RETURN acct;
END $$;

-- The account, or the one that it was merged into, locked and settled. Without an id when there is none.
CREATE FUNCTION loyalty_lock(acct_id bigint, moment timestamptz) RETURNS loyalty_account
LANGUAGE plpgsql SET lock_timeout = '3s' AS $$
DECLARE
    acct loyalty_account;
BEGIN
    LOOP
        SELECT * INTO acct FROM loyalty_account WHERE id = acct_id FOR NO KEY UPDATE;
        EXIT WHEN acct.merged_into_id IS NULL;
        acct_id := acct.merged_into_id;
    END LOOP;
    IF acct.due_at <= moment THEN
        acct := loyalty_close(acct, moment);
    END IF;
    RETURN acct;
END $$;

-- The customer's account, made on first use.
CREATE FUNCTION loyalty_open(customer bigint, moment timestamptz) RETURNS loyalty_account
LANGUAGE plpgsql AS $$
DECLARE
    acct_id bigint;
BEGIN
    SELECT id INTO acct_id FROM loyalty_account WHERE customer_id = customer;
    IF NOT FOUND THEN
        INSERT INTO loyalty_account (customer_id) VALUES (customer) ON CONFLICT (customer_id) DO NOTHING;
        SELECT id INTO acct_id FROM loyalty_account WHERE customer_id = customer;
    END IF;
    RETURN loyalty_lock(acct_id, moment);
END $$;

-- Whether the key was used: `replayed` for the same thing, `reused` for another, NULL when it is free.
CREATE FUNCTION loyalty_recall(
    acct loyalty_account, its_key text, its_kind text, its_asked bigint, its_source bigint, OUT outcome text,
    OUT entry loyalty_posting
) LANGUAGE plpgsql AS $$
DECLARE
    root bigint;
BEGIN
    SELECT * INTO entry FROM loyalty_posting WHERE key = its_key;
    IF FOUND THEN
        WITH RECURSIVE line AS (
            SELECT id, merged_into_id FROM loyalty_account WHERE id = entry.account_id
            UNION ALL SELECT a.id, a.merged_into_id FROM loyalty_account a JOIN line ON a.id = line.merged_into_id
        ) SELECT id INTO root FROM line WHERE merged_into_id IS NULL;
        outcome := CASE WHEN entry.kind = its_kind AND entry.asked = its_asked AND root = acct.id
            AND entry.source_id IS NOT DISTINCT FROM its_source THEN 'replayed' ELSE 'reused' END;
    END IF;
END $$;

-- Points come in: as a lot that can be spent from `active` on, until `expires`.
CREATE FUNCTION loyalty_earn(
    customer bigint, its_kind text, amount bigint, its_key text, moment timestamptz, active timestamptz,
    expires timestamptz, its_reason text, its_order bigint, its_author bigint, OUT outcome text, OUT balance bigint,
    OUT posting loyalty_posting
) LANGUAGE plpgsql AS $$
DECLARE
    acct loyalty_account := loyalty_open(customer, moment);
    found record;
    waits boolean := active > moment;
BEGIN
    SELECT * INTO found FROM loyalty_recall(acct, its_key, its_kind, amount, NULL);
    outcome := coalesce(found.outcome, 'done');
    IF outcome = 'done' THEN
        posting := loyalty_post(acct, its_kind, its_key, moment, CASE WHEN waits THEN 0 ELSE amount END,
            CASE WHEN waits THEN amount ELSE 0 END, 0, amount, NULL, its_order, its_reason, its_author);
        INSERT INTO loyalty_lot (account_id, posting_id, points, points_left, state, earned_at, active_at, expires_at)
        VALUES (acct.id, posting.id, amount, amount, CASE WHEN waits THEN 'pending' ELSE 'active' END, moment, active,
            expires);
        PERFORM loyalty_pay_debt(acct, posting);
        acct := loyalty_applied(acct, posting);
        acct.due_at := least(acct.due_at, CASE WHEN waits THEN active ELSE expires END);
        acct := loyalty_close(acct, moment);
    ELSE
        posting := found.entry;
    END IF;
    balance := acct.balance;
END $$;

-- Points go, for good (redeem, adjust) or aside (hold, until `until`): `insufficient` when there are not so many.
CREATE FUNCTION loyalty_spend(
    customer bigint, its_kind text, amount bigint, its_key text, moment timestamptz, until timestamptz, its_reason text,
    its_author bigint, OUT outcome text, OUT balance bigint, OUT posting loyalty_posting
) LANGUAGE plpgsql AS $$
DECLARE
    acct loyalty_account;
    found record;
    wanted bigint := CASE its_kind WHEN 'adjust' THEN -amount ELSE amount END;
BEGIN
    acct := loyalty_lock((SELECT a.id FROM loyalty_account a WHERE a.customer_id = customer), moment);
    SELECT * INTO found FROM loyalty_recall(acct, its_key, its_kind, wanted, NULL);
    posting := found.entry;
    outcome := coalesce(found.outcome, CASE WHEN acct.balance >= amount THEN 'done' ELSE 'insufficient' END);
    IF outcome = 'done' THEN
        posting := loyalty_post(acct, its_kind, its_key, moment, -amount, 0,
            CASE its_kind WHEN 'hold' THEN amount ELSE 0 END, wanted, NULL, NULL, its_reason, its_author);
        IF loyalty_take(acct.id, posting.id, amount, 'active') <> amount THEN
            RAISE EXCEPTION 'The lots of account % hold less than its balance.', acct.id;
        END IF;
        acct := loyalty_applied(acct, posting);
        IF its_kind = 'hold' THEN
            INSERT INTO loyalty_hold (account_id, posting_id, points, until, state)
            VALUES (acct.id, posting.id, amount, until, 'open');
            acct.due_at := least(acct.due_at, until);
        END IF;
        PERFORM loyalty_write(acct);
    END IF;
    balance := coalesce(acct.balance, 0);
END $$;

-- A hold ends: commit makes its points spent, release gives them back. `ended` when it has ended already.
CREATE FUNCTION loyalty_end_hold(
    the_hold bigint, its_kind text, its_key text, moment timestamptz, OUT outcome text, OUT balance bigint,
    OUT posting loyalty_posting
) LANGUAGE plpgsql AS $$
DECLARE
    acct loyalty_account;
    found record;
    h loyalty_hold;
BEGIN
    acct := loyalty_lock((SELECT account_id FROM loyalty_hold WHERE id = the_hold), moment);
    SELECT * INTO h FROM loyalty_hold WHERE id = the_hold;
    SELECT * INTO found FROM loyalty_recall(acct, its_key, its_kind, h.points, h.posting_id);
    posting := found.entry;
    outcome := coalesce(found.outcome, CASE h.state WHEN 'open' THEN 'done' ELSE 'ended' END);
    IF outcome = 'done' THEN
        IF its_kind = 'commit' THEN
            posting := loyalty_post(acct, 'commit', its_key, moment, 0, 0, -h.points, h.points, h.posting_id);
            UPDATE loyalty_hold SET state = 'committed', closed_by_id = posting.id WHERE id = h.id;
            acct := loyalty_applied(acct, posting);
        ELSE
            SELECT * INTO found FROM loyalty_let_go(acct, h.id, its_key, moment);
            acct := found.acct;
            posting := found.entry;
        END IF;
        acct := loyalty_close(acct, moment);
    END IF;
    balance := acct.balance;
END $$;

-- Spent points come back into their own lots; those whose lot has expired get `grace`, or expire again without one.
CREATE FUNCTION loyalty_give_back(
    spent_by bigint, amount bigint, its_key text, moment timestamptz, grace interval, its_reason text, OUT outcome text,
    OUT balance bigint, OUT posting loyalty_posting
) LANGUAGE plpgsql AS $$
DECLARE
    acct loyalty_account;
    found record;
    origin loyalty_posting;
    back bigint;
BEGIN
    SELECT * INTO origin FROM loyalty_posting WHERE id = spent_by;
    acct := loyalty_lock(origin.account_id, moment);
    SELECT * INTO found FROM loyalty_recall(acct, its_key, 'give_back', amount, origin.id);
    posting := found.entry;
    SELECT coalesce(sum(points), 0) INTO back FROM loyalty_posting WHERE source_id = origin.id AND kind = 'give_back';
    outcome := coalesce(found.outcome, CASE
        WHEN origin.id IS NULL OR origin.kind NOT IN ('redeem', 'commit') THEN 'unknown'
        WHEN back + amount > origin.asked THEN 'too_much'
        ELSE 'done' END);
    IF outcome = 'done' THEN
        posting := loyalty_post(acct, 'give_back', its_key, moment, amount, its_asked => amount, its_source => origin.id,
            its_reason => its_reason);
        acct.due_at := least(acct.due_at, loyalty_refill(acct.id, posting.id,
            CASE origin.kind WHEN 'commit' THEN origin.source_id ELSE origin.id END, amount, moment, back, grace));
        PERFORM loyalty_pay_debt(acct, posting);
        acct := loyalty_close(loyalty_applied(acct, posting), moment);
    END IF;
    balance := acct.balance;
END $$;

-- Earned points are taken back: out of their own lot, then, by policy, out of other pending lots (`only_pending`), then
-- out of what can be spent (`within_balance`), then as a debt (`allow_negative`).
CREATE FUNCTION loyalty_take_back(
    earned_by bigint, amount bigint, its_key text, moment timestamptz, policy text, its_reason text, OUT outcome text,
    OUT balance bigint, OUT posting loyalty_posting
) LANGUAGE plpgsql AS $$
DECLARE
    acct loyalty_account;
    found record;
    origin loyalty_posting;
    own record;
    gone bigint;
    own_pending bigint;
    own_active bigint;
    others_pending bigint;
    others_active bigint;
    debt bigint;
BEGIN
    SELECT * INTO origin FROM loyalty_posting WHERE id = earned_by;
    acct := loyalty_lock(origin.account_id, moment);
    SELECT * INTO found FROM loyalty_recall(acct, its_key, 'reverse', amount, origin.id);
    posting := found.entry;
    SELECT coalesce(-sum(points + pending_points), 0) INTO gone FROM loyalty_posting
    WHERE source_id = origin.id AND kind = 'reverse';
    outcome := coalesce(found.outcome, CASE
        WHEN origin.id IS NULL OR origin.kind NOT IN ('earn', 'adjust') OR origin.asked <= 0 THEN 'unknown'
        WHEN gone + amount > origin.asked THEN 'too_much'
        ELSE 'done' END);
    IF outcome = 'done' THEN
        SELECT coalesce(sum(points_left) FILTER (WHERE state = 'pending'), 0) AS pending,
            coalesce(sum(points_left) FILTER (WHERE state = 'active'), 0) AS active
        INTO own FROM loyalty_lot WHERE posting_id = origin.id;
        own_pending := least(amount, own.pending);
        own_active := least(amount - own_pending, own.active);
        debt := amount - own_pending - own_active;
        others_pending := least(debt, acct.pending - own.pending);
        debt := debt - others_pending;
        others_active := CASE policy WHEN 'only_pending' THEN 0
            ELSE least(debt, greatest(acct.balance, 0) - own.active) END;
        debt := CASE policy WHEN 'allow_negative' THEN debt - others_active ELSE 0 END;
        posting := loyalty_post(acct, 'reverse', its_key, moment, -own_active - others_active - debt,
            -own_pending - others_pending, its_asked => amount, its_source => origin.id, its_reason => its_reason);
        PERFORM loyalty_take(acct.id, posting.id, own_pending, 'pending', origin.id);
        PERFORM loyalty_take(acct.id, posting.id, own_active, 'active', origin.id);
        PERFORM loyalty_take(acct.id, posting.id, others_pending, 'pending');
        PERFORM loyalty_take(acct.id, posting.id, others_active, 'active');
        acct.may_owe := acct.may_owe OR debt > 0;
        acct := loyalty_applied(acct, posting);
        PERFORM loyalty_write(acct);
    END IF;
    balance := acct.balance;
END $$;

-- The second customer's lots and balances go to the first one's account. `held` while either has an open hold.
CREATE FUNCTION loyalty_merge(
    stays bigint, goes bigint, its_key text, moment timestamptz, its_author bigint, OUT outcome text, OUT balance bigint,
    OUT posting loyalty_posting
) LANGUAGE plpgsql AS $$
DECLARE
    acct loyalty_account;
    other loyalty_account;
    left_behind loyalty_posting;
    found record;
    debt bigint;
BEGIN
    INSERT INTO loyalty_account (customer_id) SELECT unnest(ARRAY[least(stays, goes), greatest(stays, goes)])
    ON CONFLICT (customer_id) DO NOTHING;
    PERFORM loyalty_lock(a.id, moment) FROM (
        SELECT id FROM loyalty_account WHERE customer_id IN (stays, goes) ORDER BY id
    ) a;
    acct := loyalty_open(stays, moment);
    other := loyalty_open(goes, moment);
    SELECT * INTO found FROM loyalty_recall(acct, its_key, 'merge', goes, NULL);
    posting := found.entry;
    outcome := coalesce(found.outcome, CASE WHEN acct.id = other.id THEN 'same'
        WHEN acct.held > 0 OR other.held > 0 THEN 'held' ELSE 'done' END);
    IF outcome = 'done' THEN
        debt := greatest(acct.balance, 0) + greatest(other.balance, 0) - greatest(acct.balance + other.balance, 0);
        posting := loyalty_post(acct, 'merge', its_key, moment, other.balance, other.pending, its_asked => goes,
            its_author => its_author);
        left_behind := loyalty_post(other, 'merge', its_key || ':out', moment, -other.balance, -other.pending,
            its_asked => -stays, its_source => posting.id, its_author => its_author);
        UPDATE loyalty_lot SET account_id = acct.id WHERE account_id = other.id;
        PERFORM loyalty_take(acct.id, posting.id, debt, 'active');
        acct.may_owe := acct.may_owe OR other.may_owe;
        acct := loyalty_applied(acct, posting);
        acct.earned := acct.earned + other.earned;
        acct.spent := acct.spent + other.spent;
        acct.expired := acct.expired + other.expired;
        acct.reversed := acct.reversed + other.reversed;
        acct.due_at := least(acct.due_at, other.due_at);
        other := loyalty_applied(other, left_behind);
        other.earned := 0;
        other.spent := 0;
        other.expired := 0;
        other.reversed := 0;
        other.due_at := NULL;
        other.merged_into_id := acct.id;
        PERFORM loyalty_write(other);
        PERFORM loyalty_write(acct);
    END IF;
    balance := acct.balance;
END $$;

CREATE FUNCTION loyalty_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Postings and allocations are never changed or removed.' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER postings_are_not_changed BEFORE UPDATE OR DELETE ON loyalty_posting
    FOR EACH ROW EXECUTE FUNCTION loyalty_stands();
CREATE TRIGGER postings_are_not_emptied BEFORE TRUNCATE ON loyalty_posting
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_stands();
CREATE TRIGGER allocations_are_not_changed BEFORE UPDATE OR DELETE ON loyalty_allocation
    FOR EACH ROW EXECUTE FUNCTION loyalty_stands();
CREATE TRIGGER allocations_are_not_emptied BEFORE TRUNCATE ON loyalty_allocation
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_stands();
