"""Programs in environments of their own, with a pip that does nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.packages import environment
from lakehouse.packages.environment import ALL, ANSIBLE, DATAHUB, ToolEnvironment


@pytest.fixture(autouse=True)
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made: list[tuple[str, ...]] = []

    def run(label: str, *command: str) -> None:
        made.append(command)
        if command[2] == "venv":
            Path(command[3], "bin").mkdir(parents=True)

    monkeypatch.setattr(environment, "_run", run)
    return made


@pytest.mark.parametrize("tool", ALL, ids=lambda tool: tool.name)
def test_it_is_installed_once(calls: list[tuple[str, ...]], tool: ToolEnvironment) -> None:
    assert tool.set_up() == tool.program
    assert [command[2] for command in calls] == ["venv", "pip"]
    assert {"--require-hashes", "--no-deps"} <= set(calls[1])
    tool.set_up()
    assert len(calls) == 2


def test_an_installation_that_was_cut_short_begins_again(
    calls: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = DATAHUB

    def fails(label: str, *command: str) -> None:
        Path(command[3]).mkdir(parents=True)
        raise LakehouseError("no network")

    with monkeypatch.context() as patch:
        patch.setattr(environment, "_run", fails)
        with pytest.raises(LakehouseError, match="no network"):
            tool.set_up()
    tool.set_up()
    assert len(calls) == 2


def test_a_program_that_fails_is_reported_with_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    with pytest.raises(LakehouseError, match=r"It cannot be installed: no such place\. Check the network"):
        environment._run("It", "/bin/sh", "-c", "echo no such place; exit 3")


@pytest.mark.parametrize(("tool", "least"), [(ANSIBLE, 9), (DATAHUB, 51)], ids=lambda each: getattr(each, "name", ""))
def test_every_line_of_the_lock_is_one_version_with_checksums(tool: ToolEnvironment, least: int) -> None:
    text = re.sub(r"\\\n\s+", "", tool.lock.read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert len(lines) >= least
    for line in lines:
        assert re.match(r"[a-z0-9._-]+(\[[a-z0-9,-]+\])?==[^ ]+( ; [^-]+.*?)? --hash=sha256:[0-9a-f]{64}", line), line
