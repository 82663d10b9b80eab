"""Data in: foreign files, staged in the store, written by Spark into an Iceberg table, each once."""
