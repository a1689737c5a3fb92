-- How long each step of an order's saga took, in milliseconds: a row for each change of an order's status.
CREATE VIEW saga_steps AS
WITH changes AS (
  SELECT stream, happened_at AS ended, status, lag(status) OVER life AS before, lag(happened_at) OVER life AS began
  FROM order_changes WHERE status IS NOT NULL
  WINDOW life AS (PARTITION BY stream ORDER BY version)
)
SELECT substr(stream, 7) AS order_id, before || ' → ' || status AS step, began, ended,
  date_diff('microsecond', began, ended) / 1000 AS ms
FROM changes WHERE before IS NOT NULL;
