"""What the reconciler knows of Iceberg tables: the kinds of object in `objects/` are made of it."""
