"""Whose certificate each port has, and until when."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.operations.served import OWN, ServedCertificate, of_stack
from bootstrap.session.target import find
from lakehouse.runtimes import certificates
from tests.tls import authority, server
from tests.unit.lakehouse.services.place import PROJECT

SECURE: dict[str, Any] = {"spark": {"connect": {"token": True}}, "trino": {"authentication": "password"}}


def shown(folder: Path, secure: Any) -> dict[str, ServedCertificate]:
    content = yaml.safe_load((PROJECT / "lakehouse.yaml").read_text())
    local = {"runtime": "process", "store": "seaweedfs", "catalogs": dict.fromkeys(content["catalogs"], "rest")}
    content |= {"stacks": {"local": {**local, "secure": secure}}, "engines": SECURE if secure else {}}
    (folder / "lakehouse.yaml").write_text(yaml.safe_dump(content))
    return {each.port: each for each in of_stack(find(folder / "lakehouse.yaml", "local"))}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    authority(tmp_path, "root")
    server(tmp_path, "root", "DNS:localhost,IP:127.0.0.1")
    return {"certificate": "server.pem", "key": "key.pem", "authority": "root.pem"}


def test_in_an_open_stack_only_parts_of_a_service_have_one(tmp_path: Path) -> None:
    found = shown(tmp_path, False)
    assert {port.split("-")[0] for port in found} == {"seaweedfs"}
    assert "seaweedfs" not in found
    assert {each.whose for each in found.values()} == {OWN}


def test_every_port_with_tls_of_a_secure_stack_has_one(tmp_path: Path) -> None:
    found = shown(tmp_path, True)
    assert {"seaweedfs", "rest", "spark-connect", "spark-master-ui", "trino", "postgres"} <= found.keys()
    assert "spark-master" not in found, "it encrypts with the cluster's secret"
    assert found["rest"].certificate == found["spark-connect"].certificate == "proxy"
    assert {each.whose for each in found.values()} == {OWN}


def test_the_users_is_named_and_parts_of_a_service_keep_the_stacks(tmp_path: Path, files: dict[str, str]) -> None:
    found = shown(tmp_path, files)
    yours = f"yours, {tmp_path / 'server.pem'}"
    inner = {port for port in found if port.startswith("seaweedfs-")}
    assert {port: each.whose for port, each in found.items()} == {
        port: OWN if port in inner else yours for port in found
    }
    assert {found[port].certificate for port in inner} == {"seaweedfs-inner"}


def test_its_end_is_shown_once_it_is_made(tmp_path: Path) -> None:
    assert shown(tmp_path, True)["trino"].end is None
    target = find(tmp_path / "lakehouse.yaml", "local")
    certificates.issue(target.located.state, target.located.services)
    end = shown(tmp_path, True)["trino"].end
    assert end == certificates.lifetime(target.located.state, "trino")[1]
    assert replace(shown(tmp_path, True)["trino"], end=None).certificate == "trino"
