"""Registry lists the read models of each context, and the tables that every context has."""

from projections import letters
from projections.notification import NOTIFICATIONS
from projections.order import ORDERS
from projections.payment import PAYMENTS
from projections.product import PRODUCTS
from projections.user import USERS
from projections.view import Projection

PROJECTIONS: dict[str, tuple[Projection, ...]] = {
    "order": (ORDERS,),
    "product": (PRODUCTS,),
    "payment": (PAYMENTS,),
    "user": (USERS,),
    "notification": (NOTIFICATIONS,),
}

COMMON = """
CREATE TABLE IF NOT EXISTS checkpoints (
  partition int PRIMARY KEY, next bigint NOT NULL, epoch bigint NOT NULL, writer text NOT NULL, ignored bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS history (
  partition int NOT NULL, position bigint NOT NULL, stream text NOT NULL, version bigint NOT NULL, id text NOT NULL,
  type text NOT NULL, at timestamptz NOT NULL, correlation text NOT NULL, causation text NOT NULL, data jsonb NOT NULL,
  PRIMARY KEY (partition, position)
);
CREATE INDEX IF NOT EXISTS history_of_stream ON history (stream, version);
CREATE INDEX IF NOT EXISTS history_of_correlation ON history (correlation);
CREATE TABLE IF NOT EXISTS outcomes (
  command_id text PRIMARY KEY, status text NOT NULL, code text NOT NULL, detail text NOT NULL, stream text NOT NULL,
  partition int NOT NULL, position bigint NOT NULL, at timestamptz NOT NULL
);
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
"""

CHECKPOINTS = "SELECT * FROM checkpoints ORDER BY partition"
HISTORY = "SELECT * FROM history WHERE stream = %(stream)s AND version > 0 ORDER BY version"
OUTCOME = "SELECT * FROM outcomes WHERE command_id = %(command_id)s"
OUTCOMES = "SELECT * FROM outcomes WHERE command_id = ANY(%(command_ids)s)"
DEAD_LETTERS = (
    letters.LISTED
    + "WHERE %(status)s::text IS NULL OR d.status = %(status)s ORDER BY d.at, d.home, d.recorded LIMIT %(limit)s"
)
DEAD_LETTER = letters.LISTED + "WHERE d.id = %(letter)s"
WAITING = """
SELECT id, type, message, command_id, at, recorded FROM dead_letters
WHERE stream = %(stream)s AND status = 'open' AND blocks AND recorded > %(recorded)s ORDER BY recorded LIMIT %(limit)s
"""
STATISTICS = """
SELECT minute, name, currency, sum(value)::bigint AS value FROM statistics
WHERE minute >= %(since)s GROUP BY minute, name, currency ORDER BY minute, name, currency
"""


def ddl(context: str) -> str:
    """All tables of a context's database."""
    return COMMON + letters.TABLE + "\n".join(projection.ddl() for projection in PROJECTIONS[context])
