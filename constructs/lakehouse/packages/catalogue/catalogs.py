"""Servers of Iceberg catalogs, and what only they need."""

from __future__ import annotations

from lakehouse.packages.catalogue.artifacts import jar, kept
from lakehouse.packages.package import Artifact, Package

_HIVE = "apache-hive-metastore-3.1.3-bin"

PACKAGES: tuple[Package, ...] = (
    jar(
        "nessie-0.99.0",
        "org.projectnessie.nessie:nessie-quarkus",
        "0.99.0",
        "ce9fa33e2878bf5ea3981876b9e6204cabc0362b3dd82326b10e47271a78c417",
        245069033,
        "catalog with branches and an Iceberg REST endpoint; the newest on Maven as one runnable jar",
        classifier="runner",
    ),
    jar(
        "iceberg-rest-1.10.1",
        "org.apache.iceberg:iceberg-open-api",
        "1.10.1",
        "09e6aef58984eaa58bf1e1bc5193ad023e929c6bfd38c82db7b83ffe825af724",
        211884914,
        "Iceberg's own REST catalog server, with S3FileIO and everything else it needs except PostgreSQL's driver",
    ),
    jar(
        "beanshell-2.0b6",
        "org.apache-extras.beanshell:bsh",
        "2.0b6",
        "a17955976070c0573235ee662f2794a78082758b61accffce8d3f8aedcd91047",
        389033,
        "runs the few lines that start the REST catalog server on the loopback address; no compiler is needed",
    ),
    jar(
        "postgresql-jdbc-42.7.14",
        "org.postgresql:postgresql",
        "42.7.14",
        "73914527305a40cce504b0d3d90b23caf565136912d607ae8ae7c5895512332c",
        1221004,
        "PostgreSQL's driver for the REST catalog server",
    ),
    Package(
        "hive-standalone-metastore-3.1.3",
        "3.1.3",
        "Hive's standalone metastore; Spark cannot read tables of 4.0",
        (
            Artifact(
                "maven",
                "org.apache.hive:hive-standalone-metastore",
                "3.1.3",
                "hive-standalone-metastore-3.1.3-bin.tar.gz",
                "83ddf76717eeb789091d845c069a631c25cad561c3d31ec0843a1ddf21f29409",
                27496847,
                unpack=(
                    (f"{_HIVE}/lib", "lib"),
                    (f"{_HIVE}/scripts/metastore/upgrade/postgres/hive-schema-3.1.0.postgres.sql", "schema.sql"),
                ),
            ),
            kept(
                "org.apache.hadoop:hadoop-client-api",
                "3.4.1",
                "a964d4daa054c9615bbafb4553efbb140fa7fb9ac6f358a24393f183a5703438",
                19631854,
            ),
            kept(
                "org.apache.hadoop:hadoop-client-runtime",
                "3.4.1",
                "f6a800a159f918670db533606d33560d6c13b7e13f14eda493280ae33b9eeb2f",
                30413579,
            ),
            # Libraries that Hadoop's jars do not share with others, and that the metastore needs too.
            kept(
                "commons-logging:commons-logging",
                "1.2",
                "daddea1ea0be0f56978ab3006b8ac92834afeefbd9b7e4e6316fca57df0fa636",
                61829,
            ),
            kept(
                "org.slf4j:slf4j-api",
                "1.7.36",
                "d3ef575e3e4979678dc01bf1dcce51021493b4d11fb7f1be8ad982877c16a1c0",
                41125,
            ),
            kept(
                "commons-collections:commons-collections",
                "3.2.2",
                "eeeae917917144a68a741d4c0dff66aa5c5c5fd85593ff217bced3fc8ca783b8",
                588337,
            ),
            kept(
                "commons-cli:commons-cli",
                "1.4",
                "fd3c7c9545a9cdb2051d1f9155c4f76b1e4ac5a57304404a6eedb578ffba7328",
                53820,
            ),
            kept(
                "commons-io:commons-io",
                "2.15.1",
                "a58af12ee1b68cfd2ebb0c27caef164f084381a00ec81a48cc275fd7ea54e154",
                501218,
            ),
        ),
    ),
)
