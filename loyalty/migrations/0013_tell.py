from django.db import migrations

POSTINGS = """
CREATE FUNCTION loyalty_tell_postings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM core_webhook WHERE state <> 'gone') THEN
        RETURN NULL;
    END IF;
    PERFORM perennial_tell(
        array_agg(event.kind ORDER BY p.id), array_agg('posting:' || p.id ORDER BY p.id),
        array_agg(jsonb_build_object('customer', p.customer_id::text, 'posting', p.id::text, 'kind', p.kind,
            'points', p.points, 'pending', p.pending_points) ORDER BY p.id),
        array_agg(p.at ORDER BY p.id))
    FROM written p JOIN (VALUES ('earn', true, 'points.pending'), ('earn', false, 'points.active'),
        ('activate', true, 'points.active'), ('activate', false, 'points.active'), ('expire', false, 'points.expired'),
        ('redeem', false, 'points.spent'), ('commit', false, 'points.spent'), ('reverse', true, 'points.reversed'),
        ('reverse', false, 'points.reversed'), ('give_back', false, 'points.returned'),
        ('adjust', false, 'points.adjusted')) AS event (posting, waits, kind)
        ON event.posting = p.kind AND event.waits = (p.pending_points <> 0)
    HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER postings_are_told AFTER INSERT ON loyalty_posting REFERENCING NEW TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION loyalty_tell_postings()
"""
MOVES = """
CREATE FUNCTION loyalty_tell_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM core_webhook WHERE state <> 'gone') THEN
        RETURN NULL;
    END IF;
    PERFORM perennial_tell(
        array_agg('tier.changed'::text ORDER BY m.id), array_agg('move:' || m.id ORDER BY m.id),
        array_agg(jsonb_build_object('customer', m.customer_id::text, 'before', was.name, 'after', now.name,
            'reason', m.reason) ORDER BY m.id),
        array_agg(m.at ORDER BY m.id))
    FROM written m LEFT JOIN loyalty_tier was ON was.id = m.before_id LEFT JOIN loyalty_tier now ON now.id = m.after_id
    HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER moves_are_told AFTER INSERT ON loyalty_move REFERENCING NEW TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION loyalty_tell_moves()
"""
# One row at a time: few of them, and what changed is the state.
STATES = """
CREATE FUNCTION loyalty_tell_redemption() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM perennial_tell(ARRAY['redemption.' || NEW.state], ARRAY[NULL::text], ARRAY[jsonb_build_object(
        'customer', NEW.customer_id::text, 'redemption', NEW.id::text, 'reward', NEW.reward_id::text,
        'points', NEW.points)], ARRAY[clock_timestamp()]);
    RETURN NULL;
END $$;
CREATE TRIGGER redemptions_are_told AFTER INSERT ON loyalty_redemption
FOR EACH ROW EXECUTE FUNCTION loyalty_tell_redemption();
CREATE TRIGGER states_of_redemptions_are_told AFTER UPDATE OF state ON loyalty_redemption
FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION loyalty_tell_redemption();

CREATE FUNCTION loyalty_tell_referral() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM perennial_tell(ARRAY['referral.' || NEW.state], ARRAY[NULL::text], ARRAY[jsonb_build_object(
        'advocate', NEW.advocate_id::text, 'friend', NEW.friend_id::text, 'referral', NEW.id::text,
        'reasons', to_jsonb(NEW.reasons))], ARRAY[clock_timestamp()]);
    RETURN NULL;
END $$;
CREATE TRIGGER referrals_are_told AFTER INSERT ON loyalty_referral
FOR EACH ROW EXECUTE FUNCTION loyalty_tell_referral();
CREATE TRIGGER states_of_referrals_are_told AFTER UPDATE OF state ON loyalty_referral
FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION loyalty_tell_referral()
"""
UNDO = """
DROP FUNCTION loyalty_tell_postings CASCADE; DROP FUNCTION loyalty_tell_moves CASCADE;
DROP FUNCTION loyalty_tell_redemption CASCADE; DROP FUNCTION loyalty_tell_referral CASCADE
"""


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0012_demos_take_their_points_along"), ("core", "0017_tell")]

    operations = [migrations.RunSQL(POSTINGS + ";" + MOVES + ";" + STATES, UNDO)]
