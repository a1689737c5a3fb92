-- What was sold, as the read model "revenue" counts: on the day (UTC) of confirmation, unless cancelled later.
CREATE VIEW revenue_by_day AS
WITH sold AS (
  SELECT stream, arg_max(happened_at, version)::DATE AS day FROM order_changes
  WHERE status IN ('confirmed', 'cancelled') GROUP BY stream HAVING arg_max(status, version) = 'confirmed'
)
SELECT day, department, currency, count(DISTINCT stream) AS orders, sum(quantity)::BIGINT AS quantity,
  sum(amount)::BIGINT AS revenue
FROM order_lines JOIN sold USING (stream) GROUP BY ALL;
