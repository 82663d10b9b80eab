"""`lakehouse metadata`: what a DataHub learns of the tables: schemas, docs, owners, tags, and where rows come from.

DataHub's own ingestion reads the catalogs and writes to DataHub. Between them, :mod:`bootstrap.metadata.proposals` adds
what only lakehouse.yaml knows.
"""
