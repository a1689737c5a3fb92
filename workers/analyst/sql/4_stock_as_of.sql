-- The read model "products" as it was at a moment: a row a SKU, from all that had happened until then.
CREATE MACRO stock_as_of(moment) AS TABLE
WITH seen AS (
  SELECT *, max(version) FILTER (counted IS NOT NULL) OVER (PARTITION BY stream) AS last_count
  FROM stock_changes WHERE happened_at <= moment::TIMESTAMPTZ
), sums AS (
  SELECT stream, any_value(sku) AS sku, arg_max(name, version) AS name, arg_max(description, version) AS description,
    arg_max(department, version) AS department, arg_max(brand, version) AS brand,
    arg_max(price, version) AS price, arg_max(currency, version) AS currency,
    coalesce(bool_or(withdrawn), false) AS withdrawn, arg_max(counted, version) AS counted,
    coalesce(sum(added) FILTER (version > last_count), 0) AS added, coalesce(sum(held), 0)::BIGINT AS held,
    coalesce(sum(shipped), 0)::BIGINT AS shipped,
    min(happened_at) AS listed_at, arg_max(happened_at, version) AS updated_at, max(version) AS version,
    any_value(log_partition) AS partition, arg_max(log_position, version) AS position
  FROM seen GROUP BY stream
)
SELECT sku, name, description, department, brand, price, currency, withdrawn,
  (counted + added)::BIGINT AS on_hand, held, (counted + added)::BIGINT - held AS available, shipped,
  listed_at, updated_at, version, partition, position
FROM sums WHERE counted IS NOT NULL;
