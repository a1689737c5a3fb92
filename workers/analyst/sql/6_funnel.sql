-- How many orders ever came to each stage, what they come to in minor units, and which share that is of those placed.
CREATE VIEW funnel AS
WITH reached AS (SELECT DISTINCT stream, status AS stage FROM order_changes WHERE status IS NOT NULL),
placed AS (SELECT currency, count(*) AS placed FROM order_placed GROUP BY currency)
SELECT stage, currency, count(*) AS orders, sum(total)::BIGINT AS total,
  round(100 * count(*) / any_value(placed), 2) AS percent
FROM reached JOIN order_placed USING (stream) JOIN placed USING (currency)
GROUP BY stage, currency
ORDER BY currency,
  list_position(
    ['placed', 'secured', 'confirmed', 'partially_shipped', 'shipped', 'delivered', 'rejected', 'cancelled'], stage
  );
