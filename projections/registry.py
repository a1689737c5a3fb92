"""Registry lists the read models of each context, and the tables that every context has."""

from projections import person_keys, versions
from projections.contact import CONTACTS
from projections.journals import journals
from projections.notification import NOTIFICATIONS
from projections.order import ORDERS
from projections.payment import PAYMENTS
from projections.postgres import Database
from projections.product import PRODUCTS
from projections.reservation import RESERVATIONS
from projections.revenue import REVENUE
from projections.search import SEARCH
from projections.spending import SPENDING
from projections.user import USERS
from projections.versions import Versions
from projections.view import Model, Projection

PROJECTIONS: dict[str, tuple[Projection, ...]] = {
    "order": (ORDERS, SPENDING, REVENUE),
    "product": (PRODUCTS, RESERVATIONS, SEARCH),
    "payment": (PAYMENTS,),
    "user": (USERS,),
    "notification": (NOTIFICATIONS, CONTACTS),
}
"""Each context's own; where one is listed in two versions, this code keeps both up to date."""

COMMON = """
CREATE TABLE IF NOT EXISTS snapshots (
  stream text PRIMARY KEY, partition int NOT NULL, entity json NOT NULL, pending boolean NOT NULL
);
CREATE INDEX IF NOT EXISTS snapshots_of_partition ON snapshots (partition, pending);
CREATE TABLE IF NOT EXISTS resume_points (
  partition int PRIMARY KEY, next bigint NOT NULL, epoch bigint NOT NULL, writer text NOT NULL, handled bytea NOT NULL,
  aggregates bigint NOT NULL DEFAULT 0
);
CREATE OR REPLACE FUNCTION forget_resume_points() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF tg_op = 'TRUNCATE' THEN
    DELETE FROM resume_points;
  ELSE
    DELETE FROM resume_points WHERE partition IN (SELECT partition FROM gone);
  END IF;
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER snapshots_deleted AFTER DELETE ON snapshots
  REFERENCING OLD TABLE AS gone EXECUTE FUNCTION forget_resume_points();
CREATE OR REPLACE TRIGGER snapshots_truncated AFTER TRUNCATE ON snapshots EXECUTE FUNCTION forget_resume_points();
CREATE TABLE IF NOT EXISTS statistics (
  minute timestamptz NOT NULL, source text NOT NULL, name text NOT NULL, currency text NOT NULL, upto bigint NOT NULL,
  value bigint NOT NULL, PRIMARY KEY (minute, source, name, currency)
);
CREATE TABLE IF NOT EXISTS worker_states (
  process text NOT NULL, name text NOT NULL, value text NOT NULL, since timestamptz NOT NULL, seen timestamptz NOT NULL,
  PRIMARY KEY (process, name)
);
"""

CHECKPOINTS = "SELECT * FROM checkpoints ORDER BY partition"
REACHED = """
SELECT wanted FROM unnest(%(wanted)s::text[]) AS wanted JOIN checkpoints
  ON partition = split_part(wanted, '/', 1)::int AND next > split_part(wanted, '/', 2)::bigint
"""
"""Those of some places, as `partition/offset`, that the read models have passed."""
HISTORY = "SELECT * FROM history WHERE stream = %(stream)s AND version > 0 ORDER BY version"
RECORDED = "SELECT type FROM history WHERE partition = %(partition)s AND position = %(position)s"
OUTCOME = "SELECT * FROM outcomes WHERE command_id = %(command_id)s ORDER BY again DESC LIMIT 1"
OUTCOMES = """
SELECT DISTINCT ON (command_id) * FROM outcomes WHERE command_id = ANY(%(command_ids)s) ORDER BY command_id, again DESC
"""
UNDER_KEY = """
SELECT DISTINCT ON (command_id) * FROM outcomes
WHERE command_id BETWEEN %(key)s || '00000000' AND %(key)s || 'ffffffff' AND starts_with(command_id, %(key)s)
ORDER BY command_id, again DESC
"""
"""Outcomes of all commands whose ids begin alike, for they were sent under one key."""
STATISTICS = """
SELECT minute, name, currency, sum(value)::bigint AS value FROM statistics
WHERE minute >= %(since)s GROUP BY minute, name, currency ORDER BY minute, name, currency
"""


def models(context: str) -> tuple[Model, ...]:
    """Every read model of a context."""
    return (*PROJECTIONS[context], *journals(context))


async def install(database: Database, context: str) -> None:
    """Create a context's database and what is missing in it.

    Raises:
        DatabaseUnavailable: the server cannot be reached.
    """
    own = person_keys.DDL if context == "user" else ""
    await database.create(versions.DDL + COMMON + own)
    await Versions(database, models(context)).install()
