-- Every line of every order that was placed, with the department that its product has now ('' where none is known).
CREATE VIEW order_lines AS
WITH departments AS (SELECT sku, arg_max(department, version) AS department FROM stock_changes GROUP BY sku),
lines AS (SELECT order_id, stream, happened_at, customer_id, currency, unnest(lines) AS line FROM order_placed)
SELECT order_id, stream, happened_at, customer_id, currency, line.sku AS sku, coalesce(department, '') AS department,
  line.quantity AS quantity, line.unit_price AS unit_price, line.quantity * line.unit_price AS amount
FROM lines LEFT JOIN departments ON departments.sku = line.sku;
