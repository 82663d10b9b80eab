"""Programs on a host by ssh: what is said when one does not run."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from lakehouse.runtimes.hosts.ssh import HostError, Ssh
from lakehouse.runtimes.hosts.variables import inventory
from lakehouse.spec.hosts import Host


def answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, code: int, host: Host) -> str:
    """The error that comes of this on standard error of an ssh that ends with this code."""
    (tmp_path / "said").write_text(said)
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ncat '{tmp_path}/said' >&2\nexit {code}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    with pytest.raises(HostError) as found:
        Ssh("b", host, tmp_path, tmp_path / "state" / "known_hosts").run("python3", "-")
    return str(found.value)


@pytest.mark.parametrize(
    ("said", "code", "message"),
    [
        (
            "jane@10.0.0.1: Permission denied (publickey).\n",
            255,
            "Host b (jane@10.0.0.1, port 22) is not reached: jane@10.0.0.1: Permission denied (publickey). "
            "Try `ssh -i {0}/id -p 22 jane@10.0.0.1`.",
        ),
        ("", 255, "is not reached: ssh ended. Try `ssh -i {0}/id -p 22 jane@10.0.0.1`."),
        (
            'Load key "id": bad permissions\njane@10.0.0.1: Permission denied (publickey).\n',
            255,
            "Others may read the key, which ssh refuses then: `chmod 600 {0}/id`.",
        ),
        (
            "Host key verification failed.\n",
            255,
            "Host key verification failed. It has another key than before. If that was meant, remove its lines from "
            "{0}/state/known_hosts.",
        ),
        (
            "sudo: a password is required\n",
            1,
            "Host b gives jane no rights by sudo: sudo: a password is required. Write `jane ALL=(ALL) NOPASSWD: ALL` "
            "into /etc/sudoers.d there, or log in as root.",
        ),
        (
            "bash: line 1: sudo: command not found\n",
            127,
            "Host b gives jane no rights by sudo: bash: line 1: sudo: command not found. Install it and write `jane",
        ),
        ("sudo: python3: command not found\n", 1, "Host b has no `python3`. Install it there."),
        (
            "sudo: sorry, you must have a tty to run sudo\n",
            1,
            "sudo: sorry, you must have a tty to run sudo. Write `Defaults:jane !requiretty` into /etc/sudoers.d there",
        ),
        (
            "jane is not in the sudoers file.\n",
            1,
            "Host b gives jane no rights by sudo: jane is not in the sudoers file. Write",
        ),
        (
            "sudo: unable to resolve host b: Name or service not known\nOSError: Read-only file system\n",
            1,
            "Host b: `python3` failed: OSError: Read-only file system.",
        ),
        ("sudo: unable to resolve host b: Name or service not known\n", 3, "Host b: `python3` failed: code 3."),
        ("no\nSyntaxError: invalid syntax\n", 1, "Host b: `python3` failed: SyntaxError: invalid syntax."),
        ("", 3, "Host b: `python3` failed: code 3."),
    ],
)
def test_a_failure_has_its_cause_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, code: int, message: str
) -> None:
    (tmp_path / "id").touch()
    host = Host(address="10.0.0.1", user="jane", key="id")
    assert message.format(tmp_path) in answered(tmp_path, monkeypatch, said, code, host)


def test_what_a_shell_prints_at_its_start_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bash reads ~/.bashrc also for a command by ssh."""
    monkeypatch.setattr(Ssh, "run", lambda *_, **__: 'Welcome to b!\n\n{"taken": {}}\n')
    module = tmp_path / "module.py"
    module.touch()
    assert Ssh("b", Host(address="10.0.0.1"), tmp_path, tmp_path / "known_hosts").python(module, {}) == {"taken": {}}


@pytest.mark.skipif(shutil.which("ssh") is None, reason="ssh says how it reads a path")
@pytest.mark.parametrize("name", ["a lakehouse", 'it\'s "100%" größe; {x} #1', "a\\b"])
def test_a_path_is_read_by_ssh_as_it_is_by_commands_and_by_ansible(tmp_path: Path, name: str) -> None:
    """Else Ansible would keep the keys of hosts in another file, and take any."""
    host = Host(address="10.0.0.1", key=f"{name}/id")
    known = tmp_path / name / "known_hosts"
    command = Ssh("b", host, tmp_path, known).command("true")
    own = inventory({"b": host}, tmp_path, known, "temporary")["lakehouse"]["hosts"]["b"]
    for options in (command[1 : command.index("-p")], shlex.split(own["ansible_ssh_common_args"])):
        said = subprocess.run(["ssh", "-F", "none", *options, "-G", "b"], capture_output=True, text=True, check=True)
        assert f"userknownhostsfile {known}" in said.stdout.replace("%%", "%").splitlines()


def test_a_key_that_is_not_there_is_named_before_ssh_tries_others(tmp_path: Path) -> None:
    host = Host(address="10.0.0.1", key="keys/id")
    with pytest.raises(HostError, match=f"Host b: its key {tmp_path}/keys/id is not there. Correct `key`, or bring"):
        Ssh("b", host, tmp_path, tmp_path / "known_hosts").run("true")
