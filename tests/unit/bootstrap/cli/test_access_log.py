"""`lakehouse access log` on the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.audit.event import AccessEvent
from bootstrap.cli.main import app
from bootstrap.remote.errors import Refused
from bootstrap.session.target import find
from lakehouse.runtimes import owner

PROJECT = Path(__file__).parents[4]
AT = datetime(2026, 11, 26, 17, 45, 38, tzinfo=UTC)


@dataclass
class Layer:
    layer: str
    events: list[AccessEvent]
    note: str = "as far as it goes"
    fails: str = ""

    def read(self, since: datetime | None) -> Iterator[AccessEvent]:
        if self.fails:
            raise Refused(self.fails)
        yield from self.events


def event(second: int, layer: str, who: str, what: str, on: str = "", result: str = "ok") -> AccessEvent:
    return AccessEvent(AT + timedelta(seconds=second), layer, who, what, on, result)


@pytest.fixture
def layers(monkeypatch: pytest.MonkeyPatch) -> list[Layer]:
    monkeypatch.setattr("sys.stdout", sys.stdout)
    monkeypatch.setattr("sys.stderr", sys.stderr)
    found = [
        Layer(
            "trino", [event(9, "trino", "bi", "SELECT", "lake.a.t", "denied"), event(1, "trino", "etl", "INSERT [b]")]
        ),
        Layer("nessie lake", [event(2, "nessie lake", "", "a\x1b[2Jb", "lake.a.t")]),
    ]
    monkeypatch.setattr("bootstrap.audit.readers.readers", lambda *_: iter(found))
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lakehouse.yaml"
    path.write_text((PROJECT / "lakehouse.yaml").read_text())
    return path


def log(file: Path, *words: str, expect: int = 0, stack: str = "local") -> None:
    with pytest.raises(SystemExit) as ended:
        app(["--file", str(file), "--stack", stack, "access", "log", *words], prog_name="lakehouse")
    assert ended.value.code == expect


def test_who_did_what_by_time(file: Path, layers: list[Layer], capsys: pytest.CaptureFixture[str]) -> None:
    log(file)
    heading, *rows, empty, trino, nessie, others = capsys.readouterr().out.splitlines()
    assert heading.split() == ["TIME", "LAYER", "WHO", "WHAT", "ON", "RESULT"]
    assert [row.split()[2:] for row in rows] == [
        ["trino", "etl", "INSERT", "[b]", "-", "ok"],
        ["nessie", "lake", "-", "a\\x1b[2Jb", "lake.a.t", "ok"],
        ["trino", "bi", "SELECT", "lake.a.t", "denied"],
    ]
    assert rows[0].startswith(f"{(AT + timedelta(seconds=1)).astimezone():%Y-%m-%d %H:%M:%S}")
    assert (empty, trino, nessie) == ("", "trino: as far as it goes.", "nessie lake: as far as it goes.")
    assert others.startswith("No record of who did what: S3Proxy")


def test_one_name_a_limit_and_a_time(file: Path, layers: list[Layer], capsys: pytest.CaptureFixture[str]) -> None:
    def who(*words: str) -> list[Any]:
        log(file, *words, "--json")
        return [each["who"] for each in json.loads(capsys.readouterr().out)["events"]]

    assert who() == ["etl", "", "bi"]
    assert who("--principal", "etl") == ["etl"]
    assert who("--limit", "1") == ["bi"]
    assert who("--since", "2026-11-26T17:45:40+00:00") == ["", "bi"]
    log(file, "--since", "soon", expect=2)
    assert '--since "soon" is not a time.' in " ".join(capsys.readouterr().err.split())


def test_a_layer_that_does_not_answer_is_named(
    file: Path, layers: list[Layer], capsys: pytest.CaptureFixture[str]
) -> None:
    layers[0].fails = "no answer\x1b[2J"
    log(file, expect=1)
    shown = capsys.readouterr()
    assert "a\\x1b[2Jb" in shown.out
    assert "trino: as far" not in shown.out
    assert shown.err == "trino could not be read: no answer\\x1b[2J\n"
    log(file, "--json", expect=1)
    found = json.loads(capsys.readouterr().out)
    assert found["unread"] == {"trino": "no answer\x1b[2J"}
    assert [each["time"] for each in found["events"]] == ["2026-11-26T17:45:40+00:00"]


def test_a_secret_is_blacked_out(file: Path, layers: list[Layer], capsys: pytest.CaptureFixture[str]) -> None:
    local = find(file, "local").located
    owner.mark(local.state, local.claim)
    local.state.keep("store-secret-key", "hunter2hunter2")
    layers[0].events.append(event(0, "trino", "bi", "SELECT hunter2hunter2"))
    log(file)
    shown = capsys.readouterr().out
    assert "SELECT ********" in shown
    assert "hunter2" not in shown


def test_in_aws_cloudtrail_is_named(file: Path, layers: list[Layer], capsys: pytest.CaptureFixture[str]) -> None:
    content = yaml.safe_load((PROJECT / "lakehouses" / "aws-glue.yaml").read_text())
    file.write_text(yaml.safe_dump(content))
    log(file, stack="aws", expect=2)
    assert "CloudTrail records who did what" in " ".join(capsys.readouterr().err.split())
