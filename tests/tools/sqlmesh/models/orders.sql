MODEL (
  name mesh_shop.orders,
  kind INCREMENTAL_BY_TIME_RANGE (time_column ordered_at),
  start '2026-03-01',
  cron '@daily',
  audits (unique_values(columns := (id)), not_null(columns := (id)))
);

SELECT id, customer_id, amount, status, ordered_at
FROM mesh_shop.raw_orders
WHERE ordered_at BETWEEN @start_date AND @end_date;
