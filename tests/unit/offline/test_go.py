"""Programs built from Go modules; Go is a script."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.packages import cached, programs
from offline import go

GO = """\
#!/bin/sh
[ "$1" = env ] && { echo go%(version)s; exit; }
echo "$@ in $PWD, CGO_ENABLED=$CGO_ENABLED GOFLAGS=$GOFLAGS GOTOOLCHAIN=$GOTOOLCHAIN" >> '%(calls)s'
while [ "$1" != -o ]; do shift; done
%(action)s
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GOFLAGS", "-mod=vendor")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return tmp_path / "calls"


def _go(calls: Path, folder: Path, version: str = "99.1", action: str = 'mkdir -p "${2%/*}"; echo > "$2"') -> None:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "go"
    program.write_text(GO % {"version": version, "calls": calls, "action": action})
    program.chmod(0o755)


def test_it_is_built_once(calls: Path, tmp_path: Path) -> None:
    _go(calls, tmp_path / "bin")
    assert go.build("minio") == go.build("minio") == cached.program("minio")
    (call,) = calls.read_text().splitlines()
    assert call.startswith("build -trimpath -mod=readonly ")
    assert f"github.com/minio/minio in {programs.MODULES / 'minio'}, CGO_ENABLED=0 GOFLAGS= GOTOOLCHAIN=local" in call
    kept = {path.name for path in cached.program("minio").parent.parent.iterdir()}
    assert kept == {cached.program("minio").parent.name, "minio.lock"}


def test_a_failure_says_what_go_said(calls: Path, tmp_path: Path) -> None:
    _go(calls, tmp_path / "bin", action="echo 'go: downloading a v1'; echo 'main.go:1: no such thing' >&2; exit 1")
    with pytest.raises(LakehouseError, match=r"could not be built from github.com/minio/minio. Go's output:\nmain"):
        go.build("minio")
    assert not cached.program("minio").exists()


@pytest.mark.parametrize("version", [None, "1.19.8"])
def test_without_a_go_that_is_new_enough_one_is_fetched(
    version: str | None, calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def bring(names: list[str]) -> None:
        asked.extend(names)
        _go(calls, cached.location(go.PACKAGE) / "bin")

    monkeypatch.setattr(go, "set_up", bring)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{_without_go(tmp_path)}")
    if version is not None:
        _go(calls, tmp_path / "bin", version, action="exit 1")
    assert go.build("minio").is_file()
    assert asked == [go.PACKAGE]


def _without_go(folder: Path) -> Path:
    """A folder of programs like /usr/bin, where this machine may have Go."""
    programs = folder / "programs"
    programs.mkdir()
    for name in ("sh", "mkdir", "echo"):
        (programs / name).symlink_to(f"/bin/{name}")
    return programs


def test_a_program_that_was_cut_short_is_built_again(calls: Path, tmp_path: Path) -> None:
    _go(calls, tmp_path / "bin")
    program = go.build("minio")
    whole = program.read_bytes()
    program.write_bytes(whole[:5])
    assert go.build("minio").read_bytes() == whole
