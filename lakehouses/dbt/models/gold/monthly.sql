SELECT DATE_TRUNC('month', day) AS month, COUNT(*) AS orders, SUM(amount) AS revenue
FROM {{ ref('orders') }}
GROUP BY 1
