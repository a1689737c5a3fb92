-- Every event of every product in one view: a count sets what is at its location, what is added or held adds to it.
-- What was moved, or taken from several locations, has a row for each of them.
CREATE VIEW stock_changes AS
SELECT *, 'main' AS location, 0 AS counted FROM product_listed
UNION ALL BY NAME SELECT * FROM product_described
UNION ALL BY NAME SELECT * FROM product_priced
UNION ALL BY NAME SELECT *, true AS withdrawn FROM product_withdrawn
UNION ALL BY NAME SELECT *, quantity AS added FROM stock_received
UNION ALL BY NAME SELECT *, delta AS added FROM stock_adjusted
UNION ALL BY NAME SELECT *, quantity AS counted FROM stock_counted
UNION ALL BY NAME SELECT *, quantity AS held FROM stock_reserved
UNION ALL BY NAME SELECT *, -quantity AS held FROM stock_released
UNION ALL BY NAME SELECT * EXCLUDE (taken), 'main' AS location, -quantity AS added, -quantity AS held, quantity AS shipped
  FROM stock_shipped WHERE len(taken) = 0
UNION ALL BY NAME SELECT * EXCLUDE (taken, part), part.location AS location, -part.quantity AS added,
  -part.quantity AS held, part.quantity AS shipped
  FROM (SELECT *, unnest(taken) AS part FROM stock_shipped WHERE len(taken) > 0)
UNION ALL BY NAME SELECT * EXCLUDE (source, target), source AS location, -quantity AS added FROM stock_transferred
UNION ALL BY NAME SELECT * EXCLUDE (source, target), target AS location, quantity AS added FROM stock_transferred
UNION ALL BY NAME SELECT * EXCLUDE (threshold), coalesce(threshold, -1) AS low_at FROM product_low_stock_set
UNION ALL BY NAME SELECT * EXCLUDE (threshold, available) FROM stock_ran_low
UNION ALL BY NAME SELECT * EXCLUDE (customer_id, email) FROM stock_awaited
UNION ALL BY NAME SELECT * EXCLUDE (customer_id) FROM stock_not_awaited
UNION ALL BY NAME SELECT * EXCLUDE (available, waiting) FROM stock_returned
UNION ALL BY NAME SELECT * EXCLUDE (nth, name, customers) FROM stock_told;
