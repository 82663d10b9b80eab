"""Where things are in a container."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.runtimes.docker.place import DockerPlace
from lakehouse.spec.kinds import Listener
from lakehouse.text.placeholders import Content

PLACE = DockerPlace({"trino": Listener("trino", 8085, 8080)}, Path("/beside"))


def test_a_container_listens_on_the_number_of_its_kind() -> None:
    assert PLACE.port("trino") == 8080


def test_this_machine_sees_the_files_ports() -> None:
    assert str(PLACE.external("trino")) == "127.0.0.1:8085"


def test_services_know_each_other_by_name() -> None:
    assert (PLACE.host("nessie"), PLACE.bind()) == ("nessie", "0.0.0.0")


def test_what_runs_beside_containers_is_called_at_this_machines_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert str(PLACE.called("trino")) == "host.docker.internal:8085"
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/mine.sock")
    assert ("DOCKER_HOST", "unix:///run/mine.sock") in PLACE.outside.toolkit().environment
    assert PLACE.outside.bind() == "127.0.0.1"


def test_packages_are_where_the_images_have_them_or_mounted() -> None:
    assert PLACE.package("trino-476") == "/usr/lib/trino"
    assert PLACE.package("iceberg-aws-bundle-1.12.0").startswith("/opt/lakehouse/iceberg-aws-bundle-1.12.0")


def test_files_next_to_the_lakehouses_file_are_named_by_their_whole_path() -> None:
    assert PLACE.beside("minio.license") == Content("/beside/minio.license")
