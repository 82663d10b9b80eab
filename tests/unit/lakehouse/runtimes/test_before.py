"""What happens before cdktf begins, in the command line that starts it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

import lakehouse
from lakehouse.packages import programs, terraform
from lakehouse.runtimes import before, temporary

PROJECT = Path(__file__).parents[4]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "lakehouse.yaml"
    text = (PROJECT / "lakehouse.yaml").read_text()
    path.write_text(
        f"{text}\n  inside: {{runtime: docker, store: minio, catalogs: {{lake: nessie}}}}\n"
        "  processes: {runtime: process, store: s3proxy, catalogs: {lake: nessie}}\n"
    )
    monkeypatch.setenv("LAKEHOUSE_FILE", str(path))
    monkeypatch.setattr(temporary, "make", lambda pid: tmp_path / f"for-{pid}")
    return path


@pytest.fixture
def unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def getpwuid(number: int) -> None:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", getpwuid)


@pytest.mark.usefixtures("unknown")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["deploy", "local", "--auto-approve"], before.STOP),
        (["apply", "inside", "proc*"], before.STOP),
        (["deploy"], before.STOP),
        (["deploy", "inside"], 0),
        (["destroy", "local"], 0),
        (["diff", "local"], 0),
        (["synth"], 0),
    ],
)
def test_a_user_without_an_entry_deploys_no_processes(
    words: Sequence[str], code: int, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert before.main(["17", *words]) == code
    out, err = capsys.readouterr()
    assert out == ("" if code else f"{file.parent}/for-17\n")
    assert err.startswith(f"Error: User {os.getuid()} has no entry") == bool(code)


@pytest.mark.usefixtures("unknown")
def test_a_wrong_file_is_left_to_the_app(file: Path) -> None:
    file.write_text("nonsense: 1\n")
    assert before.main(["17", "deploy", "local"]) == 0


def test_nothing_is_read_for_a_known_user(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lakehouse.spec.load", lambda path: pytest.fail("a second that every deploy would wait"))
    assert before.main(["17", "deploy", "local"]) == 0


@pytest.fixture
def wrapper(tmp_path: Path) -> Path:
    """bin/cdktf as `make setup` creates it, with a shell script in place of Node that prints its arguments."""
    folder = tmp_path / "a venv" / "bin"
    folder.mkdir(parents=True)
    shutil.copy(PROJECT / "bin" / "cdktf", folder)
    (folder / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (folder / "node").write_text('#!/bin/sh\necho "$$|${TMPDIR:-}|${LAKEHOUSE_TMPDIR:-}"\n')
    for name in ("python", "node"):
        (folder / name).chmod(0o755)
    cli = tmp_path / "node_modules" / "cdktf-cli" / "bundle" / "bin" / "cdktf.js"
    cli.parent.mkdir(parents=True)
    cli.touch()
    return folder / "cdktf"


def run(wrapper: Path, *words: str, prefix: Sequence[str] = (), **environment: str) -> subprocess.CompletedProcess[str]:
    own = {key: value for key, value in os.environ.items() if key not in ("TMPDIR", "TEMP", "TMP", temporary.OWN)}
    sources = {"PYTHONPATH": str(Path(lakehouse.__file__).parents[1])}
    return subprocess.run(
        [*prefix, str(wrapper), *words],
        env=own | sources | environment,
        text=True,
        capture_output=True,
        check=False,
        timeout=60,
    )


def test_cdktf_has_a_temporary_folder_of_its_own(wrapper: Path, tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as cache:  # a short path
        pid, folder, noted = run(wrapper, "synth", XDG_CACHE_HOME=cache).stdout.strip().split("|")
        assert folder == noted == f"{cache}/lakehouse/tmp/cdktf-{pid}"
        assert Path(folder).is_dir()
        chosen = run(wrapper, "synth", XDG_CACHE_HOME=cache, TMPDIR=str(tmp_path))
        assert chosen.stdout.endswith(f"|{tmp_path}|\n")


def test_cdktf_is_installed_when_it_is_first_used(wrapper: Path, tmp_path: Path) -> None:
    cli = tmp_path / "node_modules" / "cdktf-cli" / "bundle" / "bin" / "cdktf.js"
    cli.unlink()
    note = tmp_path / "installs"
    standin = f'case "$*" in *cdktf_cli*) echo "$*" >"{note}"; touch "{cli}"; exit ${{FAILS:-0}};; esac'
    (wrapper.parent / "python").write_text(f'#!/bin/sh\n{standin}\nexec "{sys.executable}" "$@"\n')
    assert run(wrapper, "synth", TMPDIR=str(tmp_path)).stdout.count("|") == 2
    assert note.read_text() == "-m lakehouse.packages.cdktf_cli\n"
    note.unlink()
    run(wrapper, "synth", TMPDIR=str(tmp_path))
    assert not note.exists()
    cli.unlink()
    failed = run(wrapper, "synth", TMPDIR=str(tmp_path), FAILS="1")
    assert (failed.returncode, failed.stdout) == (1, "")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_user_without_an_entry_is_refused_before_anything_else(wrapper: Path, file: Path) -> None:
    unknown = (
        "setpriv",
        "--reuid",
        "54321",
        "--inh-caps=-all,+dac_read_search",
        "--ambient-caps=-all,+dac_read_search",
    )
    done = run(wrapper, "deploy", "local", prefix=unknown)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: User 54321 has no entry")


def without_terraform(wrapper: Path, *more: str) -> dict[str, str]:
    """Variables of a machine whose PATH has the system's programs, no terraform, and ``more``."""
    folder = wrapper.parents[1] / "path"
    folder.mkdir()
    for name in ("sh", "dirname"):
        (folder / name).symlink_to(f"/bin/{name}")
    for name in more:
        (folder / name).touch(mode=0o755)
    (wrapper.parent / "node").write_text('#!/bin/sh\necho "${TERRAFORM_BINARY_NAME:-}|${TF_CLI_CONFIG_FILE:-}"\n')
    return {"PATH": str(folder), "TERRAFORM_BINARY_NAME": "", "TF_CLI_CONFIG_FILE": ""}


@pytest.mark.parametrize(
    ("there", "chosen", "used"),
    [
        (["terraform", "tofu"], "", ""),  # cdktf's default
        (["tofu"], "", "tofu"),
        (["terraform"], "mine", "mine"),
    ],
)
def test_a_terraform_on_path_wins_then_a_tofu(there: list[str], chosen: str, used: str, wrapper: Path) -> None:
    environment = without_terraform(wrapper, *there) | {"TERRAFORM_BINARY_NAME": chosen}
    assert run(wrapper, "diff", "local", **environment).stdout == f"{used}|\n"


def test_the_opentofu_that_was_built_is_used_and_without_it_there_is_one_message(wrapper: Path) -> None:
    with tempfile.TemporaryDirectory() as cache:
        environment = without_terraform(wrapper) | {"XDG_CACHE_HOME": cache}
        stopped = run(wrapper, "diff", "local", **environment)
        assert (stopped.returncode, stopped.stdout) == (1, "")
        assert stopped.stderr == f"error: {terraform.MISSING}\n"
        assert run(wrapper, "synth", **environment).stdout == "terraform|\n"
        built = Path(cache) / "lakehouse" / "builds" / programs.build_name("tofu") / "tofu"
        built.parent.mkdir(parents=True)
        built.touch(mode=0o755)
        assert run(wrapper, "diff", "local", **environment).stdout == f"{built}|\n"


def test_settings_that_are_not_there_give_one_message(wrapper: Path, tmp_path: Path) -> None:
    there, missing = tmp_path / "terraformrc", tmp_path / "no" / "terraformrc"
    there.touch()
    environment = without_terraform(wrapper, "terraform")
    done = run(wrapper, "diff", "local", **environment | {"TF_CLI_CONFIG_FILE": str(there)})
    assert (done.stdout, done.stderr) == (f"|{there}\n", "")
    done = run(wrapper, "diff", "local", **environment | {"TF_CLI_CONFIG_FILE": str(missing)})
    assert done.stdout == "|/dev/null\n"
    assert done.stderr == (
        f"warning: TF_CLI_CONFIG_FILE names {missing}, which does not exist: Terraform runs without settings.\n"
    )
