{% snapshot orders_history %}
{{ config(target_schema=target.schema, unique_key='order_id', strategy='check', check_cols=['status']) }}
select order_id, customer_id, amount, status, ordered_at from {{ ref('stg_orders') }}
{% endsnapshot %}
