"""Kafka, Kafka Connect and its connectors."""

from __future__ import annotations

from lakehouse.packages.catalogue.artifacts import jars

PACKAGES = (
    jars(
        "kafka-4.3.1",
        "4.3.1",
        "the broker, and the clients and libraries that Connect shares with it. 4.4.0 runs too, but breaks Debezium"
        " 3.6.1 and Iceberg's sink 1.12.0 in Connect: classes moved",
    ),
    jars(
        "kafka-connect-4.3.1",
        "4.3.1",
        "Connect with Iceberg's own sink 1.12.0 and Debezium 3.6.1 for PostgreSQL, without what Kafka's package has."
        " Iceberg writes Parquet through Hadoop's classes",
    ),
    jars(
        "debezium-mysql-3.6.1",
        "3.6.1",
        "Debezium for MySQL, without what Connect's package has; only for a file that reads a MySQL",
    ),
)
