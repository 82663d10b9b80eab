-- Orders that count, each once.
SELECT order_id, ordered_at, CAST(ordered_at AS DATE) AS day, customer, amount
FROM {{ source('raw', 'orders') }}
WHERE status = 'paid'
