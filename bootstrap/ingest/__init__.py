"""Data in: foreign files are staged in the store, and Spark writes each once into an Iceberg table."""
