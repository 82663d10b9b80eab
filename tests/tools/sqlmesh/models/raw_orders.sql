MODEL (
  name mesh_shop.raw_orders,
  kind SEED (path '../seeds/raw_orders.csv'),
  columns (id INT, customer_id INT, amount DOUBLE, status VARCHAR, ordered_at DATE),
  grain id
);
