"""Inspection is what operators ask of a context's database: how its caches stand, and what it knows of the log."""

SERVER = "SELECT current_setting('server_version_num')::int AS version, pg_database_size(current_database()) AS bytes"

TABLES = "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()"

DEAD = """
SELECT count(*) AS letters, max(at) AS newest
FROM (SELECT DISTINCT ON (id) status, at FROM dead_letters ORDER BY id, position DESC) AS newest_of_each
WHERE status IN ('open', 'aside')
"""

RESUME_POINTS = """
SELECT r.partition, r.next, r.epoch, r.writer, r.aggregates, count(s.stream) AS counted,
  count(*) FILTER (WHERE s.pending) AS pending
FROM resume_points AS r LEFT JOIN snapshots AS s ON s.partition = r.partition
GROUP BY r.partition ORDER BY r.partition
"""

ORPHANS = """
SELECT s.partition, count(*) AS aggregates FROM snapshots AS s
WHERE NOT EXISTS (SELECT FROM resume_points AS r WHERE r.partition = s.partition)
GROUP BY s.partition ORDER BY s.partition
"""

SAMPLE = """
SELECT r.next, s.stream, s.entity::text AS entity
FROM resume_points AS r JOIN snapshots AS s ON s.partition = r.partition
WHERE r.partition = %(partition)s ORDER BY random() LIMIT %(count)s
"""

ENTITIES = "SELECT stream, entity::text AS entity FROM snapshots WHERE partition = %(partition)s"

STREAMS = "SELECT DISTINCT stream FROM history WHERE version > 0 LIMIT %(limit)s"

CORRELATIONS = "SELECT correlation FROM history GROUP BY correlation ORDER BY max(at) DESC LIMIT %(limit)s"

EFFECTIVE = """
SELECT position FROM history WHERE partition = %(partition)s AND position >= %(start)s
UNION SELECT position FROM dead_letters WHERE partition = %(partition)s AND position >= %(start)s
"""

OF_CORRELATION = """
SELECT partition, position, stream, version, type, at, causation FROM history
WHERE correlation = %(correlation)s ORDER BY at, partition, position
"""

CORRELATIONS_OF = """
SELECT correlation FROM history WHERE correlation = %(id)s
UNION SELECT correlation FROM history WHERE stream = ANY(%(streams)s)
UNION SELECT h.correlation FROM outcomes AS o JOIN history AS h USING (partition, position)
WHERE o.command_id = %(id)s
LIMIT 1000
"""
"""The requests that an id may mean: its own, those that changed one of these streams, that of a client's command."""
