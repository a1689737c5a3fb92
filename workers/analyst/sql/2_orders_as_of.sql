-- The read model "orders" as it was at a moment: a row an order, from all that had happened until then.
CREATE MACRO orders_as_of(moment) AS TABLE
WITH latest AS (
  SELECT stream, arg_max(status, version) AS status, arg_max(reason, version) AS reason,
    arg_max(tracking, version) AS tracking, flatten(list(committed) FILTER (committed IS NOT NULL)) AS committed,
    arg_max(committed IS NOT NULL, version)
      FILTER (committed IS NOT NULL OR status IN ('cancelled', 'shipped')) AS may_be_ready,
    arg_max(happened_at, version) AS updated_at, max(happened_at) FILTER (status = 'confirmed') AS confirmed_at,
    max(version) AS version, arg_max(log_position, version) AS position
  FROM order_changes WHERE happened_at <= moment::TIMESTAMPTZ GROUP BY stream
), placed AS (
  SELECT *, list_sort(list_distinct([line.sku FOR line IN lines])) AS skus FROM order_placed
)
SELECT order_id, customer_id, email, status, coalesce(latest.reason, '') AS reason, currency, total,
  len(lines) AS line_count, lines, shipping_address,
  [sku FOR sku IN skus IF NOT list_contains(coalesce(committed, []), sku)] AS uncommitted,
  coalesce(may_be_ready, false) AND len(uncommitted) = 0 AS ready_to_ship, coalesce(tracking, '') AS tracking,
  happened_at AS placed_at, updated_at, confirmed_at, latest.version, log_partition AS partition, latest.position
FROM placed JOIN latest USING (stream);
