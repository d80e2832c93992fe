"""What a restored database must forget: sign-ins, work that was under way, and another server's transaction ids."""

from collections.abc import Container
from typing import Final

# People sign in anew. Older versions lack the second table.
SIGN_INS: Final = {
    "public.django_session": "DELETE FROM public.django_session;\n",
    "public.usersessions_usersession": "DELETE FROM public.usersessions_usersession;\n",
}
# What a worker had claimed waits for another; a night without published scores begins again, because the tables it was
# working out are not in the backup.
FORGET: Final = """
DELETE FROM public.core_job WHERE run_id IN (
    SELECT id FROM public.core_run WHERE state = 'running' AND published_at IS NULL
);
DELETE FROM public.core_run WHERE state = 'running' AND published_at IS NULL;
UPDATE public.core_job SET state = 'ready', ready_at = now(), claimed_at = NULL, worker = '' WHERE state = 'claimed';
"""
# Ids of the old server's transactions say nothing here: ahead of this server's they would hide every change, behind
# they would repeat them. Small numbers take their place that keep every "below" and "not below" which matters: between
# changes and the cursors of the readers, and what the last runs have read.
REBASE: Final = """
CREATE TEMP TABLE cut ON COMMIT DROP AS
    SELECT xid::text::numeric AS old, row_number() OVER (ORDER BY xid::text::numeric) AS place
    FROM (
        SELECT xid FROM public.core_cursor
        UNION (SELECT facts_xid::text::xid8 FROM public.core_run WHERE facts_xid > 0 ORDER BY id DESC LIMIT 100)
    ) AS marks (xid);
CREATE FUNCTION pg_temp.rebased(old numeric) RETURNS bigint LANGUAGE sql AS
    'SELECT 3 + coalesce((SELECT max(place) FROM pg_temp.cut WHERE cut.old <= $1), 0)';
CREATE TEMP TABLE moved ON COMMIT DROP AS
    SELECT xid AS old, pg_temp.rebased(xid::text::numeric) AS new FROM (SELECT DISTINCT xid FROM public.core_change) x;
UPDATE public.core_change c SET xid = m.new::text::xid8 FROM moved m WHERE m.old = c.xid;
UPDATE public.core_cursor SET xid = pg_temp.rebased(xid::text::numeric)::text::xid8;
UPDATE public.core_run SET facts_xid = pg_temp.rebased(facts_xid) WHERE facts_xid > 0;
"""


def script(tables: Container[str]) -> str:
    """The statements for a database with these tables, to run in the transaction that restores it."""
    sign_ins = "".join(statement for table, statement in SIGN_INS.items() if table in tables)
    return f"{sign_ins}{FORGET}{REBASE}"
