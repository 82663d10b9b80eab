"""A lakehouse deployed as a user does it: a folder, a file, a deploy.

Most deploys run what `lakehouse deploy` runs, because the start of `cdktf` takes 2 CPU s longer.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from ruamel.yaml import YAML

from lakehouse.runtimes import processes
from lakehouse.runtimes.local import Local
from lakehouse.runtimes.locate import locate
from lakehouse.spec import load, ports
from tests.integration import forked
from tests.ports import free

PROJECT = Path(__file__).parents[2]
ODD = 'it\'s "100%" größe; ${HOME} {x} #1'  # a folder that a shell, Terraform, Java and many a file read otherwise
BIN = Path(sys.executable).parent

Changes = Mapping[tuple[str, ...], Any]  # place in the file -> value


@dataclass(frozen=True)
class Deployment:
    """A folder with a lakehouse.yaml and a cdktf.json; commands run in it."""

    folder: Path
    patience: float = field(default=600, kw_only=True)  # seconds for a command

    @classmethod
    def make(cls, folder: Path, changes: Changes | None = None, source: str = "lakehouse.yaml") -> Deployment:
        """The project's own file (or another ``source``), with ``changes``, in a separate folder, on free ports."""
        folder.mkdir(parents=True)
        cdktf = json.loads((PROJECT / "cdktf.json").read_text())
        cdktf["app"] = f'"{sys.executable}" "{PROJECT}/main.py"'
        (folder / "cdktf.json").write_text(json.dumps(cdktf))
        made = cls(folder)
        made.edit((PROJECT / source).read_text(), changes or {})
        names = list(ports(load(made.file), "local"))
        made.edit(
            made.file.read_text(), {("stacks", "local", "ports"): dict(zip(names, free(len(names)), strict=True))}
        )
        return made

    @classmethod
    def clone(cls, folder: Path) -> Deployment:
        """The project's files as in a new clone, with the existing set-up."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=PROJECT, check=True, capture_output=True, text=True,
        )  # fmt: skip
        for name in filter(None, listed.stdout.split("\0")):
            if (PROJECT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(PROJECT / name, folder / name)
                os.utime(folder / name, (0, 0))  # older than the project's set-up, which is not made again
        (folder / ".venv").symlink_to(BIN.parent)
        (folder / "node_modules").symlink_to(PROJECT / "node_modules")
        made = cls(folder)
        names = list(ports(load(made.file), "local"))
        made.change("stacks", "local", "ports", to=dict(zip(names, free(len(names)), strict=True)))
        return made

    @property
    def file(self) -> Path:
        return self.folder / "lakehouse.yaml"

    @property
    def local(self) -> Local:
        return locate(load(self.file), "local", self.file)

    def port(self, name: str) -> int:
        return ports(load(self.file), "local")[name]

    def edit(self, text: str, changes: Changes) -> None:
        """Write ``text`` as the file, with the values at the given paths replaced."""
        yaml = YAML()
        content = yaml.load(text)
        for path, value in changes.items():
            place = content
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = value
        with self.file.open("w") as file:
            yaml.dump(content, file)

    def change(self, *path: str, to: Any) -> str:
        """Replace one value. Returns the file as it was."""
        before = self.file.read_text()
        self.edit(before, {path: to})
        return before

    def popen(self, *command: str) -> subprocess.Popen[str]:
        """Start the command, in its own session as in a terminal."""
        return subprocess.Popen(
            command, cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, env=self._environment(), start_new_session=True,
        )  # fmt: skip

    def run(self, *command: str, code: int | None = 0, timeout: float = 600) -> str:
        """Run the command and return its output; its exit code must be ``code``."""
        done = subprocess.run(
            command, cwd=self.folder, text=True, capture_output=True, env=self._environment(), timeout=timeout,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        output = done.stdout + done.stderr
        assert code is None or done.returncode == code, f"{command} ended with {done.returncode}:\n{output}"
        return output

    def by_cdktf(self, action: str, code: int | None = 0) -> str:
        """The same as :meth:`terraform`, by the command line of the CDK."""
        return self.cdktf(action, "local", *(() if action == "diff" else ("--auto-approve",)), code=code)

    def cdktf(self, *words: str, code: int | None = 0) -> str:
        return self.run(str(BIN / "cdktf"), *words, code=code)

    def lakehouse(self, *words: str, code: int | None = 0) -> str:
        ended, output = forked.run(words, self.folder, self._environment(), timeout=self.patience)
        assert code is None or ended == code, f"lakehouse {words} ended with {ended}:\n{output}"
        return output

    def fetch(self) -> None:
        """Fetch or build what the file needs besides the default lakehouse's packages, which `make test` fetches."""
        self.run(sys.executable, "-m", "bootstrap.cli.packages", "fetch", timeout=1200)

    def deploy(self, code: int | None = 0) -> str:
        return self.terraform("deploy", code=code)

    def destroy(self, code: int | None = 0) -> str:
        return self.terraform("destroy", code=code)

    def terraform(self, action: str, code: int | None = 0) -> str:
        """What ``lakehouse deploy``, ``destroy`` and ``diff`` run, with all that Terraform says."""
        return self.run(
            sys.executable, "-P", "-m", "bootstrap.deploy.direct", action, "local", code=code, timeout=self.patience
        )

    def planned(self) -> set[str]:
        """The names of the services (and supervisor, preflight, bootstrap) that a deploy would touch."""
        output = self.terraform("diff")
        if "No changes." in output:
            return set()
        return set(re.findall(r"# \w+\.(?:process|docker|hosts)_(\S+)_[0-9A-F]{8} ", output))

    def trino(self, sql: str, user: str = "test") -> list[list[Any]]:
        import trino

        at = self.local.place.external("trino")
        connection: Any = trino.dbapi.connect(host=at.host, port=at.port, user=user)  # type: ignore[no-untyped-call]
        with connection:
            cursor = connection.cursor()
            cursor.execute(sql)
            return list(cursor.fetchall())

    def _environment(self) -> dict[str, str]:
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(("LAKEHOUSE", "PYTEST", "AWS", "TF_"))
        }
        # Variables of a user's shell must not reach the services.
        strange = {"AWS_ACCESS_KEY_ID": "stranger", "AWS_PROFILE": "stranger"}
        # A Python that dies of a signal says where: a bootstrap did once, at a load of 33, and nobody knows why.
        return kept | strange | {"NO_COLOR": "1", "CI": "1", "PYTHONFAULTHANDLER": "1"}


def until(condition: Callable[[], bool], seconds: float = 400, why: Callable[[], str] = str) -> None:
    """Wait for the condition, at most that long: a busy machine starts a lakehouse in minutes. ``why`` explains."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain\n{why()}"
        time.sleep(0.5)


def until_well(deployment: Deployment, sick: Callable[[Deployment], list[str]]) -> None:
    """Wait until no service is sick. If that fails, the message has what a user would look at."""

    def why() -> str:
        commands = (("status",), ("doctor",), *(("logs", "--lines", "30", name) for name in sick(deployment)))
        return "\n".join(deployment.lakehouse(*each, code=None) for each in commands)

    until(lambda: not sick(deployment), why=why)


@contextmanager
def ending(deployment: Deployment) -> Iterator[None]:
    """Destroy the lakehouse afterwards, which must leave no process."""
    state = deployment.local.state
    try:
        yield
    finally:
        said = deployment.destroy(code=None)
        left = list(processes.belonging(state))
        named = str(left)
        processes.end(left)
        assert not left, f"destroy leaves no process, but {named}:\n{said}"


@contextmanager
def up(deployment: Deployment) -> Iterator[Deployment]:
    """The lakehouse, deployed; destroyed afterwards."""
    deployment.fetch()
    with ending(deployment):
        deployment.deploy()
        yield deployment


def exposed(
    deployment: Deployment, names: Collection[str] | None = None, *, inherited: Collection[str] = ()
) -> list[str]:
    """The secrets (all, or those of these names) in an argument, a variable, a log, or a file of Terraform's.

    Those that are ``inherited`` may be in variables.
    """
    state = deployment.local.state
    secrets = {path.name: path.read_text() for path in (state.root / "secrets").iterdir() if path.is_file()}
    values = {name: value for name, value in secrets.items() if names is None or name in names}
    assert len(values) == len(names or secrets) > 3
    files = [path for path in (state.root / "logs").iterdir() if path.is_file()]
    files += [*deployment.folder.glob("terraform.*.tfstate*"), *(deployment.folder / "cdktf.out").rglob("*.json")]
    texts = [path.read_text(errors="replace") for path in files]
    running = list(processes.belonging(state))
    texts += [" ".join(each.cmdline()) for each in running]
    variables = [" ".join(each.environ().values()) for each in running]
    shown = {name: texts if name in inherited else texts + variables for name in values}
    return [name for name, value in values.items() if any(value in text for text in shown[name])]


def kill(deployment: Deployment, *names: str) -> None:
    """Kill services with all their processes (`kill -9`), and wait until each has another one."""
    runtime = deployment.local.runtime
    before = {name: runtime.processes()[name].pid for name in names}
    for pid in before.values():
        service = psutil.Process(pid)
        for each in (service, *service.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):  # it ends with the one before
                each.kill()
    until(lambda: all(runtime.processes()[name].pid not in (0, pid) for name, pid in before.items()))


@contextmanager
def kept(path: Path) -> Iterator[str]:
    """The file's text, which is restored afterwards."""
    text, mode = path.read_text(), path.stat().st_mode
    try:
        yield text
    finally:
        path.write_text(text)
        path.chmod(mode)


@contextmanager
def a_row(deployment: Deployment, catalog: str = "lake") -> Iterator[None]:
    """A row that must survive every bad day: see :func:`read`."""
    table = f"{catalog}.silver.bad_days"
    deployment.trino(f"CREATE TABLE IF NOT EXISTS {table} (word varchar)")
    deployment.trino(f"DELETE FROM {table}")
    deployment.trino(f"INSERT INTO {table} VALUES 'here before'")
    yield
    deployment.trino(f"DROP TABLE {table}")


ROW = [["here before"]]


def read(deployment: Deployment, catalog: str = "lake") -> list[list[str]]:
    return deployment.trino(f"SELECT word FROM {catalog}.silver.bad_days")
