from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer

from bootstrap.cli.main import app
from bootstrap.operations.status import ServiceStatus, combine
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError
from lakehouse.runtimes.lock import LockHolder
from lakehouse.runtimes.owner import mark
from lakehouse.runtimes.runtime import Process

ROOT = Path(__file__).parents[4]

COMMANDS = (
    *(
        "status",
        "logs",
        "sql",
        "shell",
        "endpoints",
        "verify",
        "validate",
        "restart",
        "generate",
        "deploy",
        "diff",
        "destroy",
    ),
    *("plan", "apply", "doctor"),
)


def lakehouse(*words: str, expect: int = 0) -> None:
    """Run a command line in this process."""
    with pytest.raises(SystemExit) as ended:
        app(list(words), prog_name="lakehouse")
    assert ended.value.code == expect


@pytest.fixture(autouse=True)
def _streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the streams that a command replaces."""
    monkeypatch.setattr("sys.stdout", sys.stdout)
    monkeypatch.setattr("sys.stderr", sys.stderr)


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    lakehouse("--help")
    shown = capsys.readouterr().out
    assert [command for command in COMMANDS if f"\n  {command} " not in shown] == []


def test_the_page_of_commands_names_every_command() -> None:
    rows = re.findall(r"^\| (`.*?`[^|]*) \|", (ROOT / "docs" / "commands.md").read_text(), re.MULTILINE)
    shown = {word for row in rows for quoted in re.findall(r"`([^`]*)`", row) for word in quoted.split()}
    command = typer.main.get_command(app)
    assert set(getattr(command, "commands", ())) - shown == set()


def test_the_readme_shows_a_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lakehouse.yaml").write_text((ROOT / "lakehouse.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LAKEHOUSE_FILE", raising=False)
    [shown] = re.findall(r"^```text\n(SERVICE .*?)^```$", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    said = {row.split()[0]: re.split(r"\s{2,}", row.strip()) for row in shown.splitlines()[1:]}

    def as_said(target: Target) -> list[ServiceStatus]:
        health = dict.fromkeys(said, True)
        processes, memory = {}, {}
        for name, (_, _, pid, size, uptime, _) in said.items():
            minutes, seconds = re.findall(r"\d+", uptime)
            processes[name] = Process(name, "RUNNING", int(pid), int(minutes) * 60 + int(seconds), "")
            memory[name] = int(size.removesuffix(" MiB")) << 20
        return combine(target.local, health, processes, memory)

    monkeypatch.setattr("bootstrap.operations.status.look", as_said)
    lakehouse("status")
    trimmed = "\n".join(line.rstrip() for line in capsys.readouterr().out.splitlines())
    assert shown in trimmed


def test_an_error_is_told_also_if_nobody_reads_the_output() -> None:
    code = (
        "import sys; from bootstrap.cli.main import main; print(1); sys.argv[1:] = ['endpoints', '--for', 'x']; main()"
    )
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as out:
        ended = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONUNBUFFERED": ""},
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (ended.returncode, ended.stderr.splitlines()[0][:7]) == (2, "Error: "), ended.stderr
    assert "Exception" not in ended.stderr


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    lakehouse("--version")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert capsys.readouterr().out == f"lakehouse {project['version']}\n"


def test_help_imports_no_client_of_an_engine() -> None:
    script = (
        "import sys; sys.argv = ['lakehouse', '--help']\n"
        "from bootstrap.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'pyspark', 'trino', 'pyiceberg', 'pandas', 'pyarrow', 'numpy', 'boto3', 'pydantic', 'requests'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["no-such-command"], "No such command"),
        (["stauts"], "No such command 'stauts'. Did you mean \"status\"?\n"),
        (["nope"], "No such command 'nope'.\n"),
        (["branch", "creat"], "No such command 'creat'. Did you mean \"create\"?\n"),
        (["sql", "--format", "xml"], "Invalid value for '--format': 'xml' is not one of"),
        (["sql", "--format", "xml", "-e", "SELECT 1"], "'xml'"),
        (["generate", "--rows", "0"], "Invalid value for '-n' / '--rows': the minimum is 1\n"),
        (["generate", "--rows", "abc"], "Invalid value for '-n' / '--rows': it is no whole number\n"),
        (["sql", "--timeout", "x"], "Invalid value for '--timeout': it is no number\n"),
        (["-f", "/no/such.yaml", "status"], "/no/such.yaml"),
        (["destroy"], "nobody can agree to this: add --yes"),
        (["logs", "nope"], 'No service "nope"'),
        (["sql", "-e", "SELECT 1", "file.sql"], "choose one"),
        (["status", "--stack", "local"], "--stack. It goes before the command: lakehouse --stack STACK status"),
        (["branch", "list", "-f", "x"], "It goes before the command: lakehouse -f FILE branch list"),
        (["diff", "aws"], "argument(s) (aws). A stack goes before the command: lakehouse --stack aws diff"),
        (["status", "--debug"], "It goes before the command: lakehouse --debug status"),
    ],
)
def test_usage_errors_exit_2_with_one_message(
    words: list[str], message: str, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(file.parent)
    lakehouse(*words, expect=2)
    shown = capsys.readouterr()
    assert message in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""


def test_a_lakehouse_that_is_down(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lakehouse("-f", str(file), "status", expect=1)
    shown = capsys.readouterr().out
    assert "0 of 7 services healthy" in shown
    assert "`lakehouse deploy` starts it" in shown
    lakehouse("-f", str(file), "status", "--json", expect=1)
    status = json.loads(capsys.readouterr().out)
    assert status["healthy"] is False
    assert [each["name"] for each in status["services"]][-1] == "trino"
    for words in (["sql", "-e", "SELECT 1"], ["verify"], ["generate"], ["shell", "spark"], ["restart", "trino"]):
        lakehouse("-f", str(file), *words, expect=1)
        assert "`lakehouse deploy" in capsys.readouterr().err
    lakehouse("-f", str(file), "--stack", "local", "verify", expect=1)
    assert "`lakehouse --stack local deploy" in capsys.readouterr().err


def test_endpoints_as_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lakehouse("-f", str(file), "endpoints", "--json")
    found = json.loads(capsys.readouterr().out)
    assert {"service", "name", "meaning", "external", "internal"} == set(found[0])


def test_validate_counts_what_a_file_has(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lakehouse("validate", str(file))
    assert capsys.readouterr().out == (f"{file} is valid: 2 buckets, 1 catalog, 2 namespaces, 2 tables, 1 stack.\n")


def test_validate_warns_of_a_port_that_moves(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head = file.read_text().partition("stacks:")[0]
    stack = "runtime: process, store: s3proxy, catalogs: {lake: nessie}, ports: {trino: 9000}"
    file.write_text(f"{head}stacks:\n  local: {{{stack}}}\n")
    lakehouse("validate", str(file))
    shown = capsys.readouterr().err
    assert "stacks.local.ports.trino: trino has 9000" in shown
    assert "s3proxy moves to 9001" in shown


def test_validate_exits_2_for_a_wrong_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(file.read_text().replace("close: double", "close: dubble", 1))
    lakehouse("validate", str(file), expect=2)
    assert "lakehouse.yaml:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [
        (
            None,
            0o600,
            "Create it with mode 0600 and lines KEY=VALUE, with any of the keys store.name, store.value, or remove",
        ),
        ("", 0o644, "has mode 0644, so other users may read it. Run `chmod 600 own.env`"),
        ("stor=x\n", 0o600, 'has "stor". This stack has the credentials: store.name, store.value'),
        ("store.name=admin\n", 0o600, ""),
    ],
)
def test_validate_looks_at_the_file_of_credentials(
    file: Path, capsys: pytest.CaptureFixture[str], content: str | None, mode: int, why: str
) -> None:
    file.write_text(file.read_text().replace("runtime: process,", "runtime: process, credentials: own.env,", 1))
    if content is not None:
        own = file.with_name("own.env")
        own.write_text(content)
        own.chmod(mode)
    lakehouse("validate", str(file), expect=2 if why else 0)
    said = capsys.readouterr().err
    assert why in said
    assert bool(re.search(r"lakehouse\.yaml:\d+: stacks\.local\.credentials: /", said)) == bool(why)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (LakehouseError("it broke"), 1, "Error: it broke\n"),
        (ValueError("first\nsecond"), 1, "Error: ValueError: first (--debug shows where)\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/lake/secrets/key"),
            1,
            "Error: /lake/secrets/key cannot be written: No space left on device.\n",
        ),
        (KeyboardInterrupt(), 130, ""),
        (typer.Abort(), 130, ""),
    ],
)
def test_errors_become_a_line_and_an_exit_code(
    error: BaseException,
    code: int,
    message: str,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(target: object) -> None:
        raise error

    monkeypatch.setattr("bootstrap.operations.status.look", fail)
    lakehouse("-f", str(file), "status", expect=code)
    assert capsys.readouterr().err == message


def test_debug_shows_the_traceback(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bootstrap.operations.status.look", lambda target: 1 / 0)
    lakehouse("-f", str(file), "--debug", "status", expect=1)
    assert "Traceback" in capsys.readouterr().err


def test_no_secret_is_in_an_error(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from bootstrap.session.target import find

    secret = find(file, None).local.state.secret("store-secret-key")

    def fail(target: object) -> None:
        raise ValueError(f"cannot sign with {secret}")

    monkeypatch.setattr("bootstrap.operations.status.look", fail)
    lakehouse("-f", str(file), "--debug", "status", expect=1)
    shown = capsys.readouterr().err
    assert secret not in shown
    assert "cannot sign with ********" in shown


def test_a_reader_that_goes_away_is_no_error(file: Path) -> None:
    script = f"""import sys; sys.argv = ['lakehouse', '-f', {str(file)!r}, 'logs', 'trino', '-n', '100000']
import lakehouse.runtimes.process.place as place; place.java = '/java-{{}}'.format  # it must not depend on packages
"""
    from bootstrap.session.target import find

    local = find(file, None).local
    mark(local.state, local.claim)
    log = local.state.log("trino")
    log.parent.mkdir(parents=True)
    log.write_text("a line of the log\n" * 100_000)
    process = subprocess.Popen(
        [sys.executable, "-c", script + "from bootstrap.cli.main import main; main()"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": ""},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == b"a line of the log\n"
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 141
    process.stderr.close()


def test_a_status_while_a_deploy_runs_says_so_instead_of_sending_to_another_deploy(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lakehouse.runtimes.lock.holder", lambda state: LockHolder(7, "terraform apply", "me@here", ""))
    lakehouse("-f", str(file), "status", expect=1)
    said = capsys.readouterr().out
    assert "A command works on this stack (pid 7, terraform apply, me@here): what is down may be starting" in said
    assert "`lakehouse deploy`" not in said


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_output_that_does_not_fit_on_its_disk_is_an_error_in_a_line(file: Path) -> None:
    command = [sys.executable, "-m", "bootstrap", "-f", str(file), "endpoints"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "Error: The output cannot be written: No space left on device.\n")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_input_and_outputs_are_no_traceback(file: Path, closed: str, tmp_path: Path) -> None:
    before = file.read_bytes()
    said, shell = tmp_path / "said", f'"$1" -m bootstrap --file "$2" validate {closed}'
    with said.open("w") as errors:
        done = subprocess.run(["sh", "-c", shell, "sh", sys.executable, str(file)], stdout=errors, stderr=errors)
    assert (done.returncode, "Error" in said.read_text()) == (0, False)
    assert file.read_bytes() == before, "which is not the output instead"


def test_ctrl_c_before_the_command_has_begun_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt\n")  # while the command line is imported
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-m", "bootstrap", "status"], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, "")
    script = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["lakehouse"]
    assert script == "bootstrap.cli.start:main"
