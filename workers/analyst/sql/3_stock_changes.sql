-- Every event of every product in one view: a count sets what is on hand, what is added or held adds to it.
CREATE VIEW stock_changes AS
SELECT *, 0 AS counted FROM product_listed
UNION ALL BY NAME SELECT * FROM product_described
UNION ALL BY NAME SELECT * FROM product_priced
UNION ALL BY NAME SELECT *, true AS withdrawn FROM product_withdrawn
UNION ALL BY NAME SELECT *, quantity AS added FROM stock_received
UNION ALL BY NAME SELECT *, delta AS added FROM stock_adjusted
UNION ALL BY NAME SELECT *, quantity AS counted FROM stock_counted
UNION ALL BY NAME SELECT *, quantity AS held FROM stock_reserved
UNION ALL BY NAME SELECT *, -quantity AS held FROM stock_released
UNION ALL BY NAME SELECT *, -quantity AS added, -quantity AS held, quantity AS shipped FROM stock_shipped;
