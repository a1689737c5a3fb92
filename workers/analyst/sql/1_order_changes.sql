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
UNION ALL BY NAME SELECT * EXCLUDE (reason, quantity, amount), quantity AS called_off, amount AS less,
  CASE WHEN "left" = 0 THEN [sku] END AS committed FROM order_line_cancelled
UNION ALL BY NAME SELECT * EXCLUDE (items), list_sum([item.quantity FOR item IN items])::BIGINT AS sent,
  'partially_shipped' AS status FROM order_partly_shipped
UNION ALL BY NAME SELECT * EXCLUDE (items), 'shipped' AS status FROM order_shipped
UNION ALL BY NAME SELECT * FROM order_shipment_delivered
UNION ALL BY NAME SELECT *, 'delivered' AS status FROM order_delivered
UNION ALL BY NAME SELECT * EXCLUDE (reason, items) FROM order_return_requested
UNION ALL BY NAME SELECT * EXCLUDE (items, amount), amount AS less FROM order_return_received
UNION ALL BY NAME SELECT * FROM order_address_changed
UNION ALL BY NAME SELECT * FROM order_noted;
