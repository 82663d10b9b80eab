"""The private temporary folder of a cdktf run, and what must not depend on it."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from lakehouse.runtimes import temporary
from lakehouse.runtimes.state import State

PID = 4_000_000


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("TMPDIR", "TEMP", "TMP", temporary.OWN):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(temporary, "_LONGEST", 400)  # pytest's own folder is long
    monkeypatch.setattr(temporary, "private", lambda: tmp_path / "short")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "lakehouse"


def test_it_is_below_the_cache_folder_closed_to_others(cache: Path) -> None:
    folder = temporary.make(PID)
    assert folder == cache / "tmp" / f"cdktf-{PID}"
    assert [stat.S_IMODE(each.stat().st_mode) for each in (folder, folder.parent)] == [0o700, 0o700]


@pytest.mark.parametrize("name", ["TMPDIR", "TEMP", "TMP"])
def test_the_users_choice_stands(cache: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "/var/tmp")
    assert temporary.make(PID) is None
    assert not cache.exists()


def test_a_path_that_is_too_long_for_sockets_gives_way_to_a_short_one(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(temporary, "_LONGEST", len(os.fsencode(cache / "tmp" / f"cdktf-{PID}")) - 1)
    assert temporary.make(PID) == cache.parent / "short" / f"cdktf-{PID}"
    monkeypatch.setattr(temporary, "_LONGEST", 10)
    assert temporary.make(PID) is None


def test_so_does_a_cache_folder_that_cannot_be_written(cache: Path) -> None:
    cache.write_text("no folder")
    assert temporary.make(PID) == cache.parent / "short" / f"cdktf-{PID}"


def test_a_folder_of_another_is_not_taken(cache: Path, tmp_path: Path) -> None:
    cache.mkdir()
    (tmp_path / "theirs").mkdir()
    (cache / "tmp").symlink_to(tmp_path / "theirs")
    assert temporary.make(PID) == cache.parent / "short" / f"cdktf-{PID}"
    assert not list((tmp_path / "theirs").iterdir())


def test_what_ended_runs_left_is_removed(cache: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    folders = [cache / "tmp" / name for name in (f"cdktf-{ended.pid}", f"cdktf-{os.getpid()}", "other", "cdktf-x")]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "left").touch()
        os.utime(folder, (0, 0))
    young = cache / "tmp" / "cdktf-3999999"  # of a container that shares the cache and has other pids
    young.mkdir()
    assert temporary.make(PID) is not None
    assert [each.exists() for each in folders] == [False, True, True, True]
    assert young.exists()


def test_the_supervisors_socket_is_the_same_within_cdktf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deploy's step makes it, and `lakehouse status` has to find it."""
    for name in ("TMPDIR", "TEMP", "TMP", temporary.OWN):
        monkeypatch.delenv(name, raising=False)
    state = State(tmp_path / ("a long path" * 20))
    monkeypatch.setattr("tempfile.tempdir", None)
    outside = state.socket
    assert outside.parent.name == f"lakehouse-{os.getuid()}"
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv(temporary.OWN, str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert state.socket == outside
    monkeypatch.setenv(temporary.OWN, "/elsewhere")  # the user has set another since
    assert state.socket.parent.parent == tmp_path
