-- What was sold, as the read model "revenue" counts: on the day (UTC) of confirmation.
-- What is called off or comes back later is taken off the same day.
CREATE VIEW revenue_by_day AS
WITH sold AS (
  SELECT stream, arg_max(happened_at, version)::DATE AS day FROM order_changes
  WHERE status IN ('confirmed', 'cancelled') GROUP BY stream HAVING arg_max(status, version) = 'confirmed'
), back AS (
  SELECT stream, unnest(items) AS item FROM order_return_received
), moved AS (
  SELECT stream, sku, currency, quantity, amount FROM order_lines
  UNION ALL SELECT stream, sku, currency, -quantity, tax_cents - amount FROM order_line_cancelled
  UNION ALL SELECT stream, item.sku, currency, -item.quantity, item.tax_cents - item.amount
  FROM back JOIN order_placed USING (stream) WHERE item.verdict <> 'refuse'
), departments AS (SELECT DISTINCT sku, department FROM order_lines)
SELECT day, department, currency, count(DISTINCT stream) AS orders, sum(quantity)::BIGINT AS quantity,
  sum(amount)::BIGINT AS revenue
FROM moved JOIN sold USING (stream) JOIN departments USING (sku) GROUP BY ALL;
