"""Programs built from Go modules; Go is a script."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.packages import cached, programs
from offline import go
from tests.integration.deployment import until

GO = """\
#!/bin/sh
[ "$1 $2" = "env GOVERSION" ] && { echo go%(version)s; exit; }
[ "$1 $2" = "env GOFLAGS" ] && { echo "$GOFLAGS"; exit; }
[ "$1" = list ] && { echo one; echo two; exit; }
echo "$@ in $PWD, CGO_ENABLED=$CGO_ENABLED GOFLAGS=$GOFLAGS GOTOOLCHAIN=$GOTOOLCHAIN GOOS=$GOOS" >> '%(calls)s'
env > '%(calls)s.env'
while [ "$1" != -o ]; do shift; done
%(action)s
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GOFLAGS", "-mod=vendor -p=1 -race")
    monkeypatch.setenv("GOOS", "plan9")
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
    assert call.startswith("build -v -trimpath -mod=readonly ")
    assert f"github.com/minio/minio in {programs.MODULES / 'minio'}, CGO_ENABLED=0" in call
    assert call.endswith(" GOFLAGS=-buildvcs=false -p=1 GOTOOLCHAIN=local GOOS=")  # what does not change the program
    kept = {path.name for path in cached.program("minio").parent.parent.iterdir()}
    assert kept == {cached.program("minio").parent.name, "minio.lock"}


def test_a_failure_says_what_go_said(calls: Path, tmp_path: Path) -> None:
    _go(calls, tmp_path / "bin", action="echo 'go: downloading a v1'; echo 'main.go:1: no such thing' >&2; exit 1")
    with pytest.raises(LakehouseError, match=r"could not be built from github.com/minio/minio. Go's output:\nmain"):
        go.build("minio")
    assert not cached.program("minio").exists()


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("write /x/y.a: no space left on device", "The disk is full: free some space"),
        ("crypto/tls: /go/compile: signal: killed", "GOFLAGS=-p=1 needs less"),
        ("a@v1: verifying module: checksum mismatch", "changes modules"),
        ('Get \\"https://proxy.example/a\\": dial tcp: lookup proxy.example: no such host', "check the network"),
        ('a@v1: reading https://proxy/a/@v/1.zip: 403 Forbidden', "GOPROXY"),
    ],
)  # fmt: skip
def test_a_known_cause_comes_first(words: str, cause: str, calls: Path, tmp_path: Path) -> None:
    _go(
        calls,
        tmp_path / "bin",
        action=f'echo crypto/tls >&2; echo "{words}" >&2; echo more >&2; echo "more words" >&2; exit 1',
    )
    with pytest.raises(LakehouseError, match=rf"minio\. [^\n]*{cause}") as caught:
        go.build("minio")
    said = str(caught.value).partition("Go's output: ")[2]
    assert said == words.replace("\\", "")
    assert cached.program("minio").parent.parent.joinpath(".minio").exists() == ("no space" not in words)


def test_what_a_killed_build_left_does_not_count(calls: Path, tmp_path: Path) -> None:
    """It was about to move its program into place."""
    _go(calls, tmp_path / "bin")
    target = cached.program("minio")
    left = target.parent.parent / ".minio" / "draft" / target.parent.name
    left.mkdir(parents=True)
    (left / "minio").write_text("half")
    (left / "other").touch()
    assert go.build("minio").read_text() == "\n"
    assert [path.name for path in target.parent.iterdir()] == ["minio"]


def test_the_next_build_waits_for_a_go_whose_set_up_was_killed(
    calls: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _go(calls, tmp_path / "bin", action=f"touch '{tmp_path}/began'; sleep 3; touch '{tmp_path}/ended'")
    command = [sys.executable, "-c", "from offline import go; go.build('minio')"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as first:
        until(lambda: (tmp_path / "began").exists(), 60)
        first.kill()
    _go(calls, tmp_path / "bin", action='mkdir -p "${2%/*}"; echo > "$2"')
    assert go.build("minio").is_file()
    assert (tmp_path / "ended").exists()
    assert "another set-up is building minio; waiting for it" in capfd.readouterr().err


def test_a_cache_that_cannot_be_written_is_named(calls: Path, tmp_path: Path) -> None:
    _go(calls, tmp_path / "bin")
    (tmp_path / "cache").touch()
    with pytest.raises(LakehouseError, match="cannot write .*cache.* set XDG_CACHE_HOME"):
        go.build("minio")


@pytest.mark.parametrize("version", [None, "1.19.8"])
def test_without_a_go_that_is_new_enough_one_is_fetched(
    version: str | None, calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setenv("GOPROXY", "https://mirror")
    for name in ("GOMODCACHE", "GOCACHE"):
        monkeypatch.delenv(name, raising=False)

    def bring(names: list[str]) -> None:
        asked.extend(names)
        _go(calls, cached.location(go.PACKAGE) / "bin")

    monkeypatch.setattr(go, "set_up", bring)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{_without_go(tmp_path)}")
    if version is not None:
        _go(calls, tmp_path / "bin", version, action="exit 1")
    assert go.build("minio").is_file()
    assert asked == [go.PACKAGE]
    scratch = cached.program("minio").parent.parent / ".minio"
    variables = (tmp_path / "calls.env").read_text().splitlines()
    assert {f"GOMODCACHE={scratch}/modules", f"GOCACHE={scratch}/compiled", "GOPROXY=https://mirror"} <= set(variables)
    assert not scratch.exists()  # gigabytes that this machine has no other use for


def _without_go(folder: Path) -> Path:
    """A folder of programs like /usr/bin, where this machine may have Go."""
    programs = folder / "programs"
    programs.mkdir()
    for name in ("sh", "mkdir", "echo", "env"):
        (programs / name).symlink_to(f"/bin/{name}")
    return programs


def test_a_program_that_was_cut_short_is_built_again(calls: Path, tmp_path: Path) -> None:
    _go(calls, tmp_path / "bin")
    program = go.build("minio")
    whole = program.read_bytes()
    program.write_bytes(whole[:5])
    assert go.build("minio").read_bytes() == whole
