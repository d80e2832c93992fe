import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# Arguments: the table of the record that the row belongs to, the column that names it, and the columns to keep.
KEEP = """
CREATE FUNCTION perennial_keep_edit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    becomes jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    stood jsonb := coalesce(becomes, was);
    acting jsonb := nullif(current_setting('pghistory.context_metadata', true), '')::jsonb;
    told jsonb;
BEGIN
    SELECT jsonb_object_agg(name, jsonb_build_array(was -> name, becomes -> name)) INTO told
    FROM unnest(TG_ARGV[2:]) AS name
    WHERE nullif(was ->> name, '') IS DISTINCT FROM nullif(becomes ->> name, '');
    IF told IS NOT NULL OR TG_OP <> 'UPDATE' THEN
        INSERT INTO core_edit ("table", object_id, about, about_id, action, changes, at, user_id, program, url, request)
        VALUES (
            TG_TABLE_NAME, (stood ->> 'id')::bigint, TG_ARGV[0], (stood ->> TG_ARGV[1])::bigint, lower(TG_OP),
            coalesce(told, '{}'), now(), (acting ->> 'user')::bigint, coalesce(acting ->> 'program', ''),
            left(coalesce(acting ->> 'url', ''), 500),
            nullif(current_setting('pghistory.context_id', true), '')::uuid
        );
    END IF;
    RETURN NULL;
END $$;
"""

# Facts come in by the million, so they are looked at only when somebody acts; of facts that programs send
# (`people_only`), only what changes is kept, not that they came.
KEEP_OF = """
CREATE FUNCTION perennial_keep_edits_of(
    target regclass, about text, about_column text, kept text[], people_only boolean DEFAULT false
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    anybody text := $_$ current_setting('pghistory.context_metadata', true) <> '' $_$;
    people text := $_$ nullif(current_setting('pghistory.context_metadata', true), '')::jsonb ->> 'user' <> '' $_$;
    arguments text := (SELECT string_agg(quote_literal(word), ', ') FROM unnest(ARRAY[about, about_column] || kept) word);
BEGIN
    EXECUTE format(
        'CREATE TRIGGER edits_are_kept AFTER UPDATE OF %s ON %s FOR EACH ROW WHEN (%s)'
        ' EXECUTE FUNCTION perennial_keep_edit(%s)',
        (SELECT string_agg(quote_ident(name), ', ') FROM unnest(kept) name), target, anybody, arguments);
    EXECUTE format(
        'CREATE TRIGGER coming_and_going_is_kept AFTER INSERT OR DELETE ON %s FOR EACH ROW WHEN (%s)'
        ' EXECUTE FUNCTION perennial_keep_edit(%s)',
        target, CASE WHEN people_only THEN people ELSE anybody END, arguments);
END $$;
"""

APPEND_ONLY = """
CREATE FUNCTION perennial_edits_stand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('perennial.erasing', true) = 'on' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'Edits are never changed or removed.' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER edits_are_not_changed BEFORE UPDATE OR DELETE ON core_edit
    FOR EACH ROW EXECUTE FUNCTION perennial_edits_stand();
CREATE TRIGGER edits_are_not_emptied BEFORE TRUNCATE ON core_edit
    FOR EACH STATEMENT EXECUTE FUNCTION perennial_edits_stand();
"""

ERASE = """
CREATE FUNCTION perennial_erase_edits(about_table text, about_row bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    touched bigint;
BEGIN
    PERFORM set_config('perennial.erasing', 'on', true);
    UPDATE core_edit SET changes = (SELECT coalesce(jsonb_object_agg(name, NULL), '{}') FROM jsonb_object_keys(changes) name)
    WHERE about = about_table AND about_id = about_row;
    GET DIAGNOSTICS touched = ROW_COUNT;
    PERFORM set_config('perennial.erasing', '', true);
    RETURN touched;
END $$;
COMMENT ON FUNCTION perennial_erase_edits IS
    'Takes the values out of the edits of one record; who edited which field when stays. The only way to change edits.';
"""

PEOPLE = """
SELECT perennial_keep_edits_of('core_business', 'core_business', 'id', ARRAY['name', 'kind', 'time_zone', 'currency',
    'prices_include_tax', 'margin_rate', 'discount_rate', 'churn_horizon_days']);
SELECT perennial_keep_edits_of('core_user', 'core_user', 'id', ARRAY['email', 'name', 'role', 'is_active', 'is_staff',
    'is_superuser', 'may_export']);
SELECT perennial_keep_edits_of('core_apikey', 'core_apikey', 'id', ARRAY['name', 'scopes', 'expires_at', 'revoked_at']);
"""

UNDO = """
DROP TRIGGER edits_are_kept ON core_business; DROP TRIGGER coming_and_going_is_kept ON core_business;
DROP TRIGGER edits_are_kept ON core_user; DROP TRIGGER coming_and_going_is_kept ON core_user;
DROP TRIGGER edits_are_kept ON core_apikey; DROP TRIGGER coming_and_going_is_kept ON core_apikey;
DROP FUNCTION perennial_keep_edits_of; DROP FUNCTION perennial_keep_edit; DROP FUNCTION perennial_erase_edits;
DROP FUNCTION perennial_edits_stand CASCADE
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0005_jobs_that_can_be_watched")]

    operations = [
        migrations.CreateModel(
            name="Edit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("table", models.CharField(max_length=63)),
                ("object_id", models.BigIntegerField()),
                ("about", models.CharField(max_length=63)),
                ("about_id", models.BigIntegerField()),
                (
                    "action",
                    models.CharField(
                        choices=[("insert", "Insert"), ("update", "Update"), ("delete", "Delete")], max_length=6
                    ),
                ),
                ("changes", models.JSONField(default=dict)),
                ("at", models.DateTimeField()),
                ("program", models.CharField(blank=True, max_length=80)),
                ("url", models.CharField(blank=True, max_length=500)),
                ("request", models.UUIDField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["about", "about_id", "-id"], name="edits_of_a_record"),
                    models.Index(fields=["user", "-id"], name="edits_of_a_person"),
                    models.Index(fields=["at"], name="edits_by_time"),
                ],
            },
        ),
        migrations.RunSQL([KEEP, KEEP_OF, APPEND_ONLY, ERASE, PEOPLE], UNDO),
    ]
