"""`.ci/run`: what it installs and starts before `make test`; apt, Docker and make are scripts."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKER = "#!/bin/sh\n[ -e '{running}' ]\n"
DOCKERD = "#!/bin/sh\ntouch '{running}'\ntrap \"rm '{running}'; exit\" TERM\nwhile :; do sleep 0.05; done\n"


class Machine:
    """A separate PATH: only what the script calls, and what a test adds."""

    def __init__(self, folder: Path) -> None:
        self.running, self.calls, self._bin = folder / "running", folder / "calls", folder / "bin"
        self.java = folder / "jvm" / "java-17-openjdk-amd64" / "bin" / "java"
        self._bin.mkdir()
        self.java.parent.mkdir(parents=True)
        self.java.touch()
        for name in ("bash", "sh", "dirname", "mktemp", "tail", "rm", "touch", "sleep", "git"):
            (self._bin / name).symlink_to(str(shutil.which(name)))
        self.has(
            "make", f"#!/bin/sh\necho make \"$@\" docker=$([ -e '{self.running}' ] && echo up) >> '{self.calls}'\n"
        )
        self.has("apt-get", f"#!/bin/sh\necho apt-get \"$@\" >> '{self.calls}'\n")
        for name in ("debootstrap", "python3", "ssh-keygen"):
            self.has(name, "#!/bin/sh\n")
        self.user(0)

    def has(self, name: str, text: str) -> None:
        (self._bin / name).write_text(text.format(running=self.running))
        (self._bin / name).chmod(0o755)

    def lacks(self, name: str) -> None:
        (self._bin / name).unlink()

    def user(self, uid: int) -> None:
        self.has("id", f"#!/bin/sh\necho {uid}\n")

    def run(self, code: int = 0, folder: Path | None = None) -> tuple[list[str], str]:
        if folder is not None:
            folder.mkdir()
        done = subprocess.run(
            [ROOT / ".ci" / "run"],
            env={
                "PATH": str(self._bin),
                "JVMS": str(self.java.parents[2]),
                "TMPDIR": str(folder or os.environ.get("TMPDIR", "/tmp")),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == code, done.stderr
        return (self.calls.read_text().splitlines() if self.calls.exists() else []), done.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    found = Machine(tmp_path)
    found.has("docker", DOCKER)
    found.has("dockerd", DOCKERD)
    return found


def test_a_docker_that_answers_is_used(machine: Machine) -> None:
    machine.running.touch()
    assert machine.run()[0] == ["make test docker=up"]
    assert machine.running.exists()


def test_dockerd_is_started_for_the_time_of_the_tests(machine: Machine) -> None:
    assert machine.run()[0] == ["make test docker=up"]
    assert not machine.running.exists()


def test_the_exit_code_is_that_of_the_tests(machine: Machine) -> None:
    machine.has("make", "#!/bin/sh\nexit 2\n")
    machine.run(code=2)
    assert not machine.running.exists()


def test_a_dockerd_that_a_test_restarted_is_stopped_too(machine: Machine, tmp_path: Path) -> None:
    """It has the same command line as the first, and so the same pid file."""
    machine.has("kill-the-first", f"#!/bin/sh\nread -r pid < '{tmp_path}/first'\nkill \"$pid\"\n")
    machine.has("dockerd", f"#!/bin/sh\necho $$ > '{tmp_path}/first'\n{DOCKERD.removeprefix('#!/bin/sh')}")
    machine.has("cat", '#!/bin/sh\nwhile read -r line; do echo "$line"; done < "$1"\n')
    other = subprocess.Popen(["sleep", "600"])
    restart = f'kill-the-first; for file in "$TMPDIR"/*; do echo {other.pid} > "$file.pid"; done'
    machine.has("make", f"#!/bin/sh\n{restart}\n")
    try:
        machine.run(folder=tmp_path / "tmp")
        assert other.wait(10) == -15
    finally:
        other.kill()
        other.wait()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_dockerd_that_fails_is_quoted(machine: Machine) -> None:
    machine.has("dockerd", "#!/bin/sh\necho failed to create NAT chain >&2\nexit 1\n")
    calls, error = machine.run(code=1)
    assert calls == []
    assert "dockerd does not answer" in error
    assert "failed to create NAT chain" in error


def test_what_is_missing_is_installed(machine: Machine) -> None:
    for name in ("dockerd", "debootstrap", "ssh-keygen"):  # there is a client, and no Docker
        machine.lacks(name)
    machine.java.unlink()
    machine.has("apt-get", f"#!/bin/sh\necho apt-get \"$@\" >> '{machine.calls}'\n>'{machine.running}'\n")
    assert machine.run()[0] == [
        "apt-get update -qq",
        "apt-get install -y -qq --no-install-recommends openssh-client docker.io iptables debootstrap "
        "openjdk-17-jre-headless ca-certificates",
        "make test docker=up",
    ]


def test_others_than_root_need_no_docker(machine: Machine) -> None:
    machine.user(1000)
    for name in ("docker", "dockerd", "debootstrap"):
        machine.lacks(name)
    assert machine.run()[0] == ["make test docker="]
