"""Ansible in an environment of its own, with a pip that does nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.packages import ansible


@pytest.fixture(autouse=True)
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made: list[tuple[str, ...]] = []

    def run(*command: str) -> None:
        made.append(command)
        if command[2] == "venv":
            Path(command[3], "bin").mkdir(parents=True)

    monkeypatch.setattr(ansible, "_run", run)
    return made


def test_it_is_installed_once(calls: list[tuple[str, ...]]) -> None:
    assert ansible.set_up() == ansible.playbook()
    assert [command[2] for command in calls] == ["venv", "pip"]
    assert {"--require-hashes", "--no-deps"} <= set(calls[1])
    ansible.set_up()
    assert len(calls) == 2


def test_an_installation_that_was_cut_short_begins_again(
    calls: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*command: str) -> None:
        Path(command[3]).mkdir(parents=True)
        raise LakehouseError("no network")

    with monkeypatch.context() as patch:
        patch.setattr(ansible, "_run", fails)
        with pytest.raises(LakehouseError, match="no network"):
            ansible.set_up()
    ansible.set_up()
    assert len(calls) == 2


def test_a_program_that_fails_is_reported_with_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    with pytest.raises(LakehouseError, match=r"cannot be installed: no such place\. Check the network"):
        ansible._run("/bin/sh", "-c", "echo no such place; exit 3")


def test_every_line_of_the_lock_is_one_version_with_checksums() -> None:
    text = re.sub(r"\\\n\s+", "", Path(ansible.__file__).with_suffix(".txt").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert len(lines) >= 9
    for line in lines:
        assert re.match(r"[a-z0-9._-]+(\[[a-z0-9,-]+\])?==[^ ]+( ; [^-]+.*?)? --hash=sha256:[0-9a-f]{64}", line), line
