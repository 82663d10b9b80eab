"""The state folder: paths, secrets, what cannot be written."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.process import steps
from lakehouse.runtimes.state import State, apart, folder, write_private
from lakehouse.text.placeholders import Secret, filled


def test_a_secret_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    state = State(tmp_path)
    first = state.secret("store-secret-key")
    assert len(first) == 40
    assert state.secret("store-secret-key") == first
    assert (tmp_path / "secrets" / "store-secret-key").stat().st_mode & 0o777 == 0o600
    assert state.secret("other") != first


def test_a_secret_of_a_server_is_kept_closed_to_others(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.keep("a", "made elsewhere")
    assert (state.secret("a"), state.kept("a").stat().st_mode & 0o777) == ("made elsewhere", 0o600)


def test_many_at_once_get_the_same_secret(tmp_path: Path) -> None:
    state = State(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: state.secret("key"), range(32)))) == 1
    assert [path.name for path in (tmp_path / "secrets").iterdir()] == ["key"]


def test_placeholders_are_replaced(tmp_path: Path) -> None:
    text = filled(("a=", Secret("one"), " b=", Secret("two"), " c={{other}}"), {"one": "1", "two": "2"}.__getitem__)
    assert text == "a=1 b=2 c={{other}}"


def test_write_private_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.conf"
    write_private(path, "one")
    write_private(path, "two")
    assert path.read_text() == "two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_on_a_full_disk_no_draft_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, mode: str) -> None:
        os.close(descriptor)
        raise OSError(errno.ENOSPC, "No space left on device")

    state = State(tmp_path)
    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(OSError, match="No space left") as said:
        write_private(tmp_path / "note", "one")
    assert said.value.filename == str(tmp_path / "note")
    with pytest.raises(OSError, match="No space left") as said:
        state.secret("key")
    assert said.value.filename == str(tmp_path / "secrets/key")
    assert [path.name for path in tmp_path.rglob("*")] == ["secrets"]


def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    deep = State(tmp_path / ("x" * 120))
    assert len(str(deep.socket)) < 90
    assert deep.socket != State(tmp_path / ("y" * 120)).socket
    assert State(Path("/srv/lake")).socket == Path("/srv/lake/run/supervisor.sock")


def test_a_state_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(
        LakehouseError, match=r"The state folder .*file/state cannot be written: Not a directory.*state in"
    ):
        State(blocked / "state").prepare()


@pytest.mark.parametrize(("character", "name"), [(",", "comma"), (":", "colon")])
def test_a_path_that_processes_take_for_two_is_refused_before_anything_is_written(
    character: str, name: str, tmp_path: Path
) -> None:
    with pytest.raises(LakehouseError, match=rf'state folder ".*/nessie{character}rest/local" has a {name}.*Rename'):
        steps.preflight(State(tmp_path / f"nessie{character}rest" / "local"), [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("file", "chosen", "expected"),
    [
        ("lakehouse.yaml", None, "/a/.lakehouse/local"),
        ("orders.yaml", None, "/a/.lakehouse/orders/local"),
        ("orders.yaml", "state", "/a/state/local"),
        ("lakehouse.yaml", "/b/state", "/b/state/local"),
    ],
)
def test_each_file_has_a_state_folder_of_its_own(file: str, chosen: str | None, expected: str) -> None:
    assert folder(Path("/a", file), "local", chosen) == Path(expected)


def test_a_files_stem_keeps_its_state_apart() -> None:
    assert [apart(Path(name)) for name in ("lakehouse.yaml", "a/orders.yaml")] == [(), ("orders",)]


def test_a_name_that_nobody_set_is_its_default_and_looking_makes_no_file(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    root = Secret("root-name", "name", "root", "root")
    assert state.value(root) == "root"
    assert not state.root.exists()
    kept = state.root / "names" / "root-name"
    kept.parent.mkdir(parents=True)
    kept.write_text("admin")
    assert state.value(root) == "admin"
    assert state.value(Secret("key")) == state.value(Secret("key"))
