"""Data in: files of others, staged in the store, written by Spark into an Iceberg table, once."""
