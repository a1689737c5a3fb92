-- The read model "orders" as it was at a moment: a row an order, from all that had happened until then.
-- Its lists of shipments, returns and notes are left out: the views of their events have them.
CREATE MACRO orders_as_of(moment) AS TABLE
WITH seen AS (
  SELECT * FROM order_changes WHERE happened_at <= moment::TIMESTAMPTZ
), latest AS (
  SELECT stream, arg_max(status, version) AS last_status, arg_max(reason, version) AS reason,
    arg_max(tracking, version) AS tracking, arg_max(shipping_address, version) AS shipping_address,
    flatten(list(committed) FILTER (committed IS NOT NULL)) AS committed,
    coalesce(sum(called_off), 0) + coalesce(sum(sent), 0) AS gone, coalesce(sum(less), 0)::BIGINT AS less,
    arg_max(happened_at, version) AS updated_at, max(happened_at) FILTER (status = 'confirmed') AS confirmed_at,
    max(version) AS version, arg_max(log_position, version) AS position
  FROM seen GROUP BY stream
), placed AS (
  SELECT *, list_sort(list_distinct([line.sku FOR line IN lines])) AS skus,
    list_sum([line.quantity FOR line IN lines]) AS ordered
  FROM order_placed
), standing AS (
  SELECT stream,
    CASE WHEN last_status = 'partially_shipped' AND gone = ordered THEN 'shipped' ELSE last_status END AS status
  FROM placed JOIN latest USING (stream)
), off AS (
  SELECT stream, map(list(sku ORDER BY sku), list(quantity ORDER BY sku)) AS cancelled
  FROM (
    SELECT stream, sku, sum(called_off)::BIGINT AS quantity FROM seen
    WHERE called_off IS NOT NULL GROUP BY stream, sku
  ) GROUP BY stream
)
SELECT order_id, customer_id, email, status, coalesce(latest.reason, '') AS reason, currency, total - less AS total,
  len(lines) AS line_count, lines, latest.shipping_address,
  [sku FOR sku IN skus IF NOT list_contains(coalesce(committed, []), sku)] AS uncommitted,
  status IN ('confirmed', 'partially_shipped') AND len(uncommitted) = 0 AS ready_to_ship,
  coalesce(tracking, '') AS tracking, happened_at AS placed_at, updated_at, confirmed_at, shipping_cents,
  coalesce(cancelled, MAP {}) AS cancelled, latest.version, log_partition AS partition, latest.position
FROM placed JOIN latest USING (stream) JOIN standing USING (stream) LEFT JOIN off USING (stream);
