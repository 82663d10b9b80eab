"""The run of a deploy with shell scripts in the place of the app and of Terraform."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.deploy import direct
from lakehouse import project
from lakehouse.errors import LakehouseError
from lakehouse.packages import terraform

SEEN = (
    "LAKEHOUSE_DESTROYING",
    "CHECKPOINT_DISABLE",
    "TF_CLI_CONFIG_FILE",
    "TF_VAR_x",
    "NODE_OPTIONS",
    "LAKEHOUSE_ASKED_STACK",
)
APP = f"""\
mkdir -p "$CDKTF_OUTDIR/stacks/local"
echo '{{}}' >"$CDKTF_OUTDIR/stacks/local/cdk.tf.json"
echo "app $(pwd) {" ".join("${" + each + ":-}" for each in SEEN)}" >>calls
[ -z "$APP_FAILS" ] || exit 3
"""
TERRAFORM = """\
#!/bin/sh
echo "$* in $(pwd) ${TF_VAR_x:-}${NODE_OPTIONS:-}${CDKTF_OUTDIR:-}${LAKEHOUSE_DESTROYING:-}" >>"$CALLS"
[ "$1" != "$FAILS" ] || exit 7
[ "$1" = "$WAITS" ] || exit 0
trap 'echo ended >>"$CALLS"; exit 1' INT
touch "$CALLS.waits"
while :; do sleep 0.05; done
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project; each call of its app and of Terraform is a line in the file ``calls``."""
    place = tmp_path / "a project"
    place.mkdir()
    (place / "lakehouse.yaml").touch()
    (place / "app.sh").write_text(APP)
    (place / "cdktf.json").write_text(json.dumps({"app": "cd . && . ./app.sh"}))
    program = tmp_path / "terraform"
    program.write_text(TERRAFORM)
    program.chmod(0o755)
    for name in (*SEEN, "APP_FAILS", "FAILS", "WAITS"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    for name, value in (("TERRAFORM_BINARY_NAME", str(program)), ("CALLS", str(place / "calls"))):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("LAKEHOUSE_FILE", str(place / "lakehouse.yaml"))
    return place


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().splitlines()


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("deploy", "apply -auto-approve -input=false -lock-timeout=5m"),
        ("destroy", "destroy -auto-approve -input=false -lock-timeout=5m"),
        ("diff", "plan -input=false -lock-timeout=5m"),
    ],
)
def test_the_app_runs_and_then_terraform(
    action: str, words: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TF_VAR_x", "secret")
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", "/not/there")
    assert direct.run(action, "local", folder, os.environ) == 0
    place = folder / "cdktf.out" / "stacks" / "local"
    destroying = "yes" if action == "destroy" else ""
    assert calls(folder) == [
        f"app {folder} {destroying} 1 {os.devnull}  --max-old-space-size=4096 local",  # no variable of Terraform
        f"init -input=false -no-color in {place} secret",
        f"{words} -no-color in {place} secret",
    ]
    assert "TF_CLI_CONFIG_FILE names /not/there, which does not exist" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "value", "code", "last"),
    [("APP_FAILS", "yes", 3, "app"), ("FAILS", "init", 7, "init"), ("FAILS", "apply", 7, "apply")],
)
def test_what_fails_ends_the_run_with_its_code(
    name: str, value: str, code: int, last: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert direct.run("deploy", "local", folder, os.environ) == code
    assert calls(folder)[-1].startswith(last)


def test_a_stack_that_the_app_does_not_declare(folder: Path) -> None:
    with pytest.raises(LakehouseError, match="The app declares no stack elsewhere"):
        direct.run("deploy", "elsewhere", folder, os.environ)


def test_without_terraform_nothing_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terraform, "find", lambda environment: None)
    with pytest.raises(LakehouseError, match="no terraform and no tofu is on PATH"):
        direct.run("deploy", "local", folder, os.environ)
    assert not (folder / "calls").exists()


def test_it_waits_for_a_deploy_that_has_the_lock(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(words: object) -> None:
        raise LakehouseError(f"locked: {words}")

    monkeypatch.setattr("lakehouse.runtimes.before.wait", locked)
    with pytest.raises(LakehouseError, match=r"locked: \('deploy', 'local'\)"):
        direct.run("deploy", "local", folder, os.environ)
    assert not (folder / "calls").exists()


@pytest.mark.parametrize("target", [os.kill, os.killpg], ids=["itself", "its group"])
def test_after_ctrl_c_terraform_ends_first(target: Callable[[int, int], None], folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "bootstrap.deploy.direct", "deploy", "local"],
        cwd=folder, env={**os.environ, "WAITS": "apply"}, start_new_session=True,
    )  # fmt: skip
    try:
        end = time.monotonic() + 30
        while not (folder / "calls.waits").exists() and time.monotonic() < end:
            time.sleep(0.02)
        target(process.pid, signal.SIGINT)
        if target is os.kill:  # whoever asks only it, asks Terraform too
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.5)
            os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) == 128 + signal.SIGINT
    finally:
        with_it = process.poll() is None
        if with_it:
            os.killpg(process.pid, signal.SIGKILL)
    assert calls(folder)[-1] == "ended"


def test_the_app_is_told_that_a_stack_goes() -> None:
    assert SEEN[0] == project.DESTROYING
