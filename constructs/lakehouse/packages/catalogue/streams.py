"""Kafka, Kafka Connect and its connectors, SeaTunnel and its."""

from __future__ import annotations

from lakehouse.packages.catalogue.artifacts import jar, jars

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
    jars(
        "seatunnel-2.3.8",
        "2.3.8",
        "SeaTunnel's server, its SQL and Hadoop's classes. Of later versions and of its starter, no registry here has"
        " all: the server starts without it",
    ),
    jars("seatunnel-connectors-2.3.8", "2.3.8", "its sources, and its sink for Iceberg, each with all that it needs"),
    jars(
        "seatunnel-plugins-2.3.8",
        "2.3.8",
        "S3 and Glue for the Iceberg 1.4 of that sink, and the drivers of PostgreSQL and MySQL",
    ),
    jar(
        "jmx-exporter-1.0.1",
        "io.prometheus.jmx:jmx_prometheus_javaagent",
        "1.0.1",
        "7d61f737fd661610ccc14aea79764faa1ea94a340cbc8f0029b3d2edea3d80c1",
        2886599,
        "metrics of Kafka and Kafka Connect, only for a stack with `monitoring`; the newest that the registry has",
    ),
    jars("hadoop-s3a-3.1.4", "3.1.4", "S3 for Hadoop's classes of SeaTunnel, by which it reads files of a bucket"),
)
