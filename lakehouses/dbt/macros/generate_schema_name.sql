-- dbt's own version of this macro puts the profile's schema before a model's: silver_gold.
{% macro generate_schema_name(custom_schema_name, node) %}{{ custom_schema_name or target.schema }}{% endmacro %}
