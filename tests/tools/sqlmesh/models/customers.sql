MODEL (name mesh_shop.customers, kind FULL);

SELECT customer_id, COUNT(id) AS orders, SUM(amount) AS total
FROM mesh_shop.orders
GROUP BY customer_id;
