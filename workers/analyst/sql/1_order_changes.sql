-- Every event of every order in one view, with the status that each leads to.
CREATE VIEW order_changes AS
SELECT *, 'placed' AS status FROM order_placed
UNION ALL BY NAME SELECT * FROM order_lines_reserved
UNION ALL BY NAME SELECT *, 'secured' AS status FROM order_stock_secured
UNION ALL BY NAME SELECT *, 'confirmed' AS status FROM order_confirmed
UNION ALL BY NAME SELECT *, skus AS committed FROM order_lines_committed
UNION ALL BY NAME SELECT * REPLACE (concat_ws(': ', reason, nullif(array_to_string(refused, ', '), '')) AS reason),
  'rejected' AS status FROM order_rejected
UNION ALL BY NAME SELECT *, 'cancelled' AS status FROM order_cancelled
UNION ALL BY NAME SELECT *, 'shipped' AS status FROM order_shipped
UNION ALL BY NAME SELECT *, 'delivered' AS status FROM order_delivered;
