"""The reconciler's code for Iceberg tables, which the kinds of object in `objects/` use."""
