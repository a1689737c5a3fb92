-- The read model "products" as it was at a moment: a row a SKU, from all that had happened until then.
CREATE MACRO stock_as_of(moment) AS TABLE
WITH seen AS (
  SELECT *, max(version) FILTER (counted IS NOT NULL) OVER (PARTITION BY stream, location) AS last_count
  FROM stock_changes WHERE happened_at <= moment::TIMESTAMPTZ
), heaps AS (
  SELECT stream, location, coalesce(arg_max(counted, version), 0)
    + coalesce(sum(added) FILTER (version > coalesce(last_count, 0)), 0)::BIGINT AS quantity
  FROM seen WHERE location IS NOT NULL GROUP BY stream, location
), places AS (
  SELECT stream, sum(quantity)::BIGINT AS on_hand,
    map(list(location ORDER BY location) FILTER (quantity <> 0), list(quantity ORDER BY location) FILTER (quantity <> 0))
      AS locations
  FROM heaps GROUP BY stream
), sums AS (
  SELECT stream, any_value(sku) AS sku, arg_max(name, version) AS name, arg_max(description, version) AS description,
    arg_max(department, version) AS department, arg_max(brand, version) AS brand,
    arg_max(price, version) AS price, arg_max(currency, version) AS currency,
    coalesce(bool_or(withdrawn), false) AS withdrawn, coalesce(sum(held), 0)::BIGINT AS held,
    coalesce(sum(shipped), 0)::BIGINT AS shipped, nullif(arg_max(low_at, version), -1)::BIGINT AS threshold,
    min(happened_at) AS listed_at, arg_max(happened_at, version) AS updated_at, max(version) AS version,
    any_value(log_partition) AS partition, arg_max(log_position, version) AS position
  FROM seen GROUP BY stream
)
SELECT sku, name, description, department, brand, price, currency, withdrawn,
  on_hand, held, on_hand - held AS available, shipped, coalesce(locations, MAP {}) AS locations, threshold,
  coalesce(on_hand - held <= threshold, false) AS low, listed_at, updated_at, version, partition, position
FROM sums JOIN places USING (stream);
