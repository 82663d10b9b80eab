"""``lakehouse secret``: what it shows, and what a rotation records."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from bootstrap.session.target import find
from lakehouse.kinds.engines.spark import TOKEN
from lakehouse.runtimes import certificates, generations, lock, tokens
from lakehouse.runtimes.owner import mark
from lakehouse.runtimes.state import terraform_state
from tests.synth.synthesised import AWS
from tests.unit.bootstrap.cli.test_main import lakehouse


@pytest.fixture(autouse=True)
def _streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", sys.stdout)
    monkeypatch.setattr("sys.stderr", sys.stderr)


@pytest.fixture
def deployed(file: Path) -> Path:
    """A file with a token, as a deploy leaves its state folder."""
    file.write_text(file.read_text().replace("connect: true", "connect: {token: true}"))
    return made(file)


@pytest.fixture
def secured(file: Path) -> Path:
    """The file of a secure stack, as a deploy leaves its state folder."""
    text = file.read_text().replace("connect: true", "connect: {token: true}")
    text = text.replace("memory: 1g}", "memory: 1g, authentication: password}")
    file.write_text(text.replace("{runtime: process,", "{runtime: process, secure: true,"))
    return made(file)


def made(file: Path) -> Path:
    local = find(file, None).local
    local.state.prepare()
    mark(local.state, local.claim)
    generations.make(local.state, local.services, generations.NOTHING)
    return file


def listed(file: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    lakehouse("-f", str(file), "secret", "list", "--json")
    return {each["name"]: each for each in json.loads(capsys.readouterr().out)}


def test_a_rotation_is_noted_and_shown(deployed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert listed(deployed, capsys)[TOKEN] == {
        "name": TOKEN, "kind": "key", "chosen": False, "replaced": 0, "due": False, "services": ["spark-connect"],
    }  # fmt: skip
    lakehouse("-f", str(deployed), "secret", "rotate", TOKEN)
    assert "restarts spark-connect. `lakehouse diff` shows it" in capsys.readouterr().out
    assert listed(deployed, capsys)[TOKEN]["due"] is True
    lakehouse("-f", str(deployed), "secret", "list")
    shown = capsys.readouterr().out
    assert "0 times, due" in shown
    state = find(deployed, None).local.state
    assert state.secret(TOKEN) not in shown


@pytest.mark.parametrize(
    ("name", "does"),
    [
        ("proxy-certificate", "gives it without a restart to proxy. "),
        ("s3proxy-certificate", "restarts s3proxy. "),
        ("authority-certificate", "restarts "),
    ],
)
def test_who_takes_a_certificate_without_a_restart_is_said(
    secured: Path, name: str, does: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lakehouse("-f", str(secured), "secret", "rotate", name)
    assert f"{name} is replaced by the next `lakehouse deploy`, which {does}" in capsys.readouterr().out


def test_what_the_stack_lacks_is_reported(deployed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lakehouse("-f", str(deployed), "secret", "rotate", "tokn", expect=2)
    assert 'This stack has no credential "tokn"; it has: ' in capsys.readouterr().err


def test_a_stack_in_aws_has_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    lakehouse("-f", str(AWS), "-s", "clusters", "secret", "list", expect=2)
    assert "Secrets Manager" in capsys.readouterr().err


def test_renew_renews_what_is_due_and_says_what_is_left(
    secured: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lakehouse("-f", str(secured), "secret", "renew")
    assert capsys.readouterr().out == "No certificate is due.\n"
    monkeypatch.setattr(certificates, "_lasts", lambda path: path.parent.name != "proxy")
    monkeypatch.setattr(tokens, "due", lambda state, name: True)
    lakehouse("-f", str(secured), "secret", "renew", expect=1)
    said = capsys.readouterr().out
    assert said.startswith("proxy-certificate is renewed\nDue, and left: nessie-tokens.\n")
    assert "`lakehouse deploy` does what is left" in said


def test_renew_waits_for_a_deploy(secured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = terraform_state(secured, "local")
    monkeypatch.setattr(lock, "wait", lambda state, patience: "it is still locked" if state == locked else "")
    monkeypatch.setattr(certificates, "make", lambda *_: pytest.fail("during a deploy"))
    lakehouse("-f", str(secured), "secret", "renew", "--all", expect=1)


def test_a_narrow_terminal_cuts_no_name_that_a_rotation_needs(
    secured: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    names = listed(secured, capsys).keys()
    lakehouse("-f", str(secured), "secret", "list")
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert names <= {line.split()[0] for line in shown.splitlines()}
