"""Hive Metastore as services, and its clients' settings."""

from __future__ import annotations

from xml.etree import ElementTree

from lakehouse.kinds.catalogs.hive import HIVE
from lakehouse.kinds.compose import endpoints, services
from lakehouse.kinds.engines.spark_cluster import of_catalogs
from lakehouse.services.service import Service
from lakehouse.spec import LocalStack
from lakehouse.spec.databases import DatabaseEntry
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.model import Lakehouse
from tests.unit.lakehouse.services.place import Somewhere, as_text, default, local


def lakehouse(*catalogs: str, entry: KindEntry | None = None) -> tuple[Lakehouse, LocalStack]:
    """The default lakehouse with these catalogs, each of kind hive."""
    said = entry or KindEntry(kind="hive")
    stack = local(default()).model_copy(update={"catalogs": dict.fromkeys(catalogs, said)})
    places = {name: default().catalogs["lake"] for name in catalogs}
    return default().model_copy(update={"catalogs": places, "stacks": {"local": stack}}), stack


def built(*catalogs: str, entry: KindEntry | None = None) -> dict[str, Service]:
    given, stack = lakehouse(*catalogs, entry=entry)
    return {each.name: each for each in services(given, stack, Somewhere(given))}


def test_each_catalog_has_a_metastore_after_a_job_that_makes_its_schema() -> None:
    found = built("lake", "other")
    names = ["s3proxy", "postgres", "hive-schema-job", "hive", "hive-other-schema-job", "hive-other"]
    assert list(found)[:6] == names
    assert [found[name].is_job for name in names] == [False, False, True, False, True, False]
    assert found["hive-other-schema-job"].needs == ("postgres",)
    assert found["hive-other"].needs == ("s3proxy", "postgres", "hive-other-schema-job")


def test_the_server_listens_where_the_place_says_and_has_its_own_database() -> None:
    service = built("lake", "other")["hive-other"]
    text = {each.path: as_text(each.text) for each in service.files}["metastore-site.xml"]
    settings = {each[0].text: each[1].text for each in ElementTree.fromstring(text)}
    assert settings["javax.jdo.option.ConnectionPassword"] == "<secret:postgres-hive-other>"
    assert (settings["metastore.thrift.bind.host"], settings["metastore.thrift.port"]) == ("0.0.0.0", "9084")
    assert settings["javax.jdo.option.ConnectionURL"] == "jdbc:postgresql://postgres.internal:5432/hive-other"
    assert settings["metastore.warehouse.dir"] == "s3://warehouse/lake"
    assert settings["fs.s3a.endpoint"] == "http://s3proxy.internal:9000"


def test_passwords_are_in_files_only() -> None:
    found = built("lake")
    for name in ("hive", "hive-schema-job"):
        assert any("<secret:postgres-hive>" in as_text(each.text) for each in found[name].files)
        assert "secret" not in f"{found[name].command} {found[name].environment}"


def test_the_file_may_name_the_database_and_set_what_it_has_no_key_for() -> None:
    entry = DatabaseEntry(kind="hive", database="tables", user="writer", properties={"metastore.txn.timeout": "60s"})
    found = built("lake", entry=entry)
    job = {each.path: as_text(each.text) for each in found["hive-schema-job"].files}["schema.properties"]
    assert "/tables\nuser=writer\n" in job
    site = {each.path: as_text(each.text) for each in found["hive"].files}["metastore-site.xml"]
    assert "<name>metastore.txn.timeout</name><value>60s</value>" in site
    assert "<name>javax.jdo.option.ConnectionUserName</name><value>writer</value>" in site


def test_clients_know_the_catalog_by_the_address_of_its_tables() -> None:
    given, stack = lakehouse("lake")
    [at] = endpoints(given, stack, Somewhere(given)).catalogs
    spark = HIVE.for_spark(at)
    assert spark[""] == "org.apache.iceberg.spark.SparkCatalog"
    assert (spark[".uri"], spark[".warehouse"]) == ("thrift://hive.internal:9083", "s3://warehouse/lake")
    assert HIVE.for_trino(at, "fs.native-s3.enabled", "main")["hive.metastore.uri"] == "thrift://hive.internal:9083"
    assert HIVE.for_pyiceberg is not None
    assert HIVE.for_pyiceberg(at)["uri"] == at.uri == "thrift://lakehouse.example:19083"


def test_sparks_own_catalog_is_iceberg_in_front_of_the_same_metastore() -> None:
    given, stack = lakehouse("lake", "spark_catalog")
    found = of_catalogs(endpoints(given, stack, Somewhere(given)).catalogs)
    assert found["spark.sql.catalog.spark_catalog"] == "org.apache.iceberg.spark.SparkSessionCatalog"
    assert found["spark.sql.catalogImplementation"] == "hive"
    assert found["spark.hadoop.hive.metastore.uris"] == found["spark.sql.catalog.spark_catalog.uri"]
    assert found["spark.sql.catalog.spark_catalog.uri"] == "thrift://hive-spark_catalog.internal:9084"
    assert found["spark.sql.catalog.lake"] == "org.apache.iceberg.spark.SparkCatalog"
