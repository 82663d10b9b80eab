import subprocess
from pathlib import Path

import pytest

from lakehouse.services.service import LOOPBACK, Address, Probe, Service


@pytest.mark.parametrize(
    ("host", "scheme", "url"),
    [
        (LOOPBACK, "http", "http://127.0.0.1:80/ui/"),
        ("lakehouse.example", "https", "https://lakehouse.example:80/ui/"),
        (LOOPBACK, "sc", "sc://localhost:80/ui/"),
        ("lakehouse.example", "sc", "sc://lakehouse.example:80/ui/"),
    ],
)
def test_an_address_is_written_as_its_clients_take_it(host: str, scheme: str, url: str) -> None:
    assert Address(host, 80).url(scheme, "/ui/") == url


def test_a_probe_says_what_it_asks() -> None:
    assert str(Probe("https", 8443, "/v1/info")) == "port 8443/v1/info"
    assert str(Probe("tcp", 5432)) == "port 5432"
    assert str(Probe("exec", command=("pg_isready", "-q"))) == "`pg_isready`"


def test_only_the_files_that_it_forgets_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "it's a $HOME"
    folder.mkdir()
    for name in ("worker_1", "worker_2", "app_1", "whole"):
        (folder / name).touch()
    service = Service("web", "", (), ("run",), Probe("tcp", 80), forgets=(f"{folder}/worker_*", f"{folder}/whole"))
    for _ in range(2):  # nothing to remove is no failure
        subprocess.run(["/bin/sh", "-ec", service.forgetting], check=True)
    assert [path.name for path in folder.iterdir()] == ["app_1"]
    assert Service("web", "", (), ("run",), Probe("tcp", 80)).forgetting == ""
