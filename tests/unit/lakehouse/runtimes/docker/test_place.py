"""Where things are in a container."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.runtimes.docker.place import DockerPlace
from lakehouse.text.placeholders import Content

PLACE = DockerPlace({"trino": 8085, "spark-worker-12-ui": 8092}, Path("/beside"))


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("trino", 8080),
        ("nessie", 19120),
        ("nessie-other", 19120),
        ("nessie-management", 9000),
        ("nessie-management-other", 9000),
        ("spark-master", 7077),
        ("spark-master-ui", 8080),
        ("spark-connect", 15002),
        ("spark-connect-ui", 4040),
        ("spark-worker-1", 7079),
        ("spark-worker-12", 7079),
        ("spark-worker-12-ui", 8081),
        ("s3proxy", 9000),
        ("minio-console", 9001),
    ],
)
def test_ports(name: str, number: int) -> None:
    assert PLACE.port(name) == number


def test_a_port_nobody_knows_is_an_error_of_ours() -> None:
    with pytest.raises(ValueError, match="max"):
        PLACE.port("hive")


def test_this_machine_sees_the_files_ports() -> None:
    assert str(PLACE.external("trino")) == "127.0.0.1:8085"


def test_services_know_each_other_by_name() -> None:
    assert (PLACE.host("nessie"), PLACE.bind()) == ("nessie", "0.0.0.0")


def test_packages_are_where_the_images_have_them_or_mounted() -> None:
    assert PLACE.package("trino-476") == "/usr/lib/trino"
    assert PLACE.package("iceberg-aws-bundle-1.12.0").startswith("/opt/lakehouse/iceberg-aws-bundle-1.12.0")


def test_files_beside_the_lakehouses_file_are_named_by_their_whole_path() -> None:
    assert PLACE.beside("minio.license") == Content("/beside/minio.license")
