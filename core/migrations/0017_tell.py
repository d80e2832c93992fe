from django.db import migrations

# Events and their deliveries, told from inside the database, where facts are written by sets. A name makes an event's
# id: the same name again is no second event. Without a webhook that wants the kind nothing is written.
TELL = """
CREATE FUNCTION perennial_tell(kinds text[], names text[], told jsonb[], moments timestamptz[]) RETURNS void
LANGUAGE sql AS $$
WITH fact AS (
    SELECT * FROM unnest(kinds, names, told, moments) AS fact (kind, name, told, at)
), wanted AS (
    SELECT k.kind, w.id FROM (SELECT DISTINCT kind FROM fact) k
    JOIN core_webhook w ON w.state <> 'gone' AND (w.events = '{}' OR w.events @> ARRAY[k.kind]::varchar[])
), event AS (
    INSERT INTO core_event (uid, kind, data, at)
    SELECT coalesce(md5(name)::uuid, gen_random_uuid()), kind, told, at FROM fact
    WHERE kind IN (SELECT kind FROM wanted)
    ON CONFLICT (uid) DO NOTHING RETURNING id, kind
)
INSERT INTO core_delivery (event_id, webhook_id, state, attempts, claims, ready_at, log)
SELECT event.id, wanted.id, 'pending', 0, 0, clock_timestamp(), '[]' FROM event JOIN wanted USING (kind)
ORDER BY event.id
$$
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0016_business_has_loyalty")]

    operations = [migrations.RunSQL(TELL, "DROP FUNCTION perennial_tell")]
