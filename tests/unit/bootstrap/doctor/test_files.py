from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from bootstrap.doctor import files
from bootstrap.doctor.files import Views
from lakehouse.spec import Lakehouse, load
from lakehouse.spec.problems import KeyPath, Problem, SpecError

LOGIN = "me:word"  # apart from the addresses, so that no scan takes them for real

EXTERNAL = {"nessie": "http://127.0.0.1:19120", "minio": "http://127.0.0.1:9000"}
HERE = Views(containers=False, external=EXTERNAL, internal=EXTERNAL)
CONTAINERS = Views(containers=True, external=EXTERNAL, internal={name: f"http://{name}:{n}" for name, n in
                   (("nessie", 19120), ("minio", 9000))})  # fmt: skip

FILE = """\
name: demo
buckets: {{warehouse: {{}}}}
catalogs: {{lake: {{location: s3://warehouse/lake}}}}
sources: {{flatfiles: {{endpoint: "{source}", credentials: keys}}}}
engines:
  spark: {{properties: {{spark.hadoop.fs.s3a.endpoint: "{spark}", spark.eventLog.dir: "s3a://logs/x"}}}}
  trino: {{catalogs: {{other: {{connector.name: iceberg, iceberg.rest-catalog.uri: "{trino}"}}}}}}
stacks: {{local: {{runtime: process, store: s3proxy, catalogs: {{lake: nessie}}}}}}
"""
FINE = {"source": "https://files.example.com", "spark": "none", "trino": "none"}


@pytest.fixture
def lakehouse(tmp_path: Path) -> Lakehouse:
    return read(tmp_path, {"source": "https://files.example.com", "spark": "http://minio:9000",
                           "trino": f"jdbc:postgresql://{LOGIN}@db.example.com:5432/x"})  # fmt: skip


def read(folder: Path, addresses: Mapping[str, str]) -> Lakehouse:
    path = folder / "lakehouse.yaml"
    path.write_text(FILE.format(**addresses))
    return load(path)


def line(at: KeyPath) -> str:
    return f"lakehouse.yaml:{len(at)}"


def test_every_host_that_the_file_names_is_found_without_passwords(lakehouse: Lakehouse) -> None:
    found = list(files.named(lakehouse))
    assert [(each.host, each.port) for each in found] == [
        ("files.example.com", None), ("db.example.com", 5432), ("minio", 9000),
    ]  # fmt: skip
    assert found[1].at == ("engines", "trino", "catalogs", "other", "iceberg.rest-catalog.uri")
    assert "word" not in str(found)


@pytest.mark.parametrize(
    ("views", "address", "known", "severity", "cause", "fix"),
    [
        (HERE, {"trino": "http://db.example.com:1"}, True, "ok", "", ""),
        (HERE, {"trino": "http://localhost:19120"}, True, "ok", "", ""),
        (HERE, {"trino": "http://db.invalid:1"}, False, "error", "does not resolve on this machine", "getent hosts"),
        (HERE, {"trino": "http://db.invalid:1"}, None, "warning", "no name server", ""),
        (HERE, {"spark": "http://minio:9000"}, False, "error", "a container's name", "http://127.0.0.1:9000"),
        (HERE, {"source": "http://minio:9000"}, False, "error", "a container's name", "http://127.0.0.1:9000"),
        (CONTAINERS, {"trino": "http://minio:9000"}, False, "ok", "", ""),
        (CONTAINERS, {"trino": "http://localhost:9000"}, True, "error", "the container itself", "http://minio:9000"),
        (CONTAINERS, {"trino": "http://127.0.0.1:5432"}, True, "error", "the container itself", "this machine's"),
        (CONTAINERS, {"source": "http://minio:9000"}, False, "error", "used on this machine", "http://127.0.0.1:9000"),
        (CONTAINERS, {"source": "http://localhost:9000"}, True, "ok", "", ""),
        (CONTAINERS, {"trino": "http://db.invalid:1"}, False, "error", "resolve in the containers", "getent hosts"),
    ],
)  # fmt: skip
def test_hosts(
    tmp_path: Path, views: Views, address: dict[str, str], known: bool | None, severity: str, cause: str, fix: str
) -> None:
    named = list(files.named(read(tmp_path, FINE | address)))

    def resolves(host: str, in_container: bool) -> bool | None:
        assert in_container == (views.containers and "source" not in address) or host == "files.example.com"
        return True if host == "files.example.com" else known

    found = files.hosts(named, resolves, views, line)
    assert found.severity == severity
    assert cause in found.cause
    assert fix in found.fix
    if severity == "error":
        assert next(iter(address.values())) in found.found
        assert found.found.startswith("lakehouse.yaml:")


def test_a_wrong_file_is_reported_whole() -> None:
    overlap = Problem(("catalogs", "b", "location"), '"s3://w/a" is ...: locations must not overlap. Move one of them.')
    other = Problem(("name",), '"name" is missing')
    found = files.usable(SpecError(Path("lakehouse.yaml"), [(7, overlap)]), "lakehouse.yaml")
    assert found.severity == "error"
    assert "lakehouse.yaml:7: catalogs.b.location" in found.found
    assert "deletes them" in found.cause
    both = files.usable(SpecError(Path("lakehouse.yaml"), [(7, other), (9, other)]), "lakehouse.yaml")
    assert "\n" not in both.found
    assert "9" in both.found
    assert "`lakehouse validate`" in both.fix
    assert files.usable(None, "lakehouse.yaml").severity == "ok"
