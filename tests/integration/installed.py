"""The toolkit as its users install it: a wheel in an environment of its own, and projects in any folder."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

from lakehouse.spec import load, ports
from tests.integration.deployment import Deployment
from tests.ports import free

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


def wheel(folder: Path) -> Path:
    """A wheel of this checkout, made in ``folder`` from a copy of its tracked and new files."""
    source = folder / "source"
    Deployment.clone(source)
    command = [
        *PIP,
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--wheel-dir",
        str(folder),
        str(source),
    ]
    subprocess.run(command, check=True, capture_output=True)
    (made,) = folder.glob("*.whl")
    return made


@dataclass(frozen=True)
class Installation:
    """A virtual environment with the wheel. The locked packages are those of the running one, not installed again."""

    home: Path

    @classmethod
    def make(cls, home: Path, built: Path) -> Installation:
        venv.create(home, symlinks=True)
        here = sysconfig.get_path("purelib", vars={"base": str(home)})
        (Path(here) / "locked.pth").write_text(sysconfig.get_path("purelib") + "\n")
        command = [*PIP, "--python", str(home / "bin" / "python"), "install", "--no-deps", "--no-index", str(built)]
        subprocess.run(command, check=True, capture_output=True)
        return cls(home)

    def project(self, folder: Path, template: str) -> InstalledProject:
        """A new project of the template, on free ports."""
        made = InstalledProject(folder, self.home / "bin")
        folder.parent.mkdir(parents=True, exist_ok=True)
        InstalledProject(folder.parent, made.bin).lakehouse("init", "--template", template, str(folder))
        names = list(ports(load(made.file), "local"))
        made.change("stacks", "local", "ports", to=dict(zip(names, free(len(names)), strict=True)))
        return made


@dataclass(frozen=True)
class InstalledProject(Deployment):
    """A project whose commands are those of an installation; nothing of the checkout is on their paths."""

    bin: Path

    def cdktf(self, *words: str, code: int | None = 0) -> str:
        return self.run(str(self.bin / "cdktf"), *words, code=code, timeout=600)

    def lakehouse(self, *words: str, code: int | None = 0) -> str:
        return self.run(str(self.bin / "lakehouse"), *words, code=code, timeout=1200)

    def terraform(self, action: str, code: int | None = 0) -> str:
        return self.by_cdktf(action, code)

    def fetch(self) -> None:
        self.lakehouse("setup")

    def _environment(self) -> dict[str, str]:
        return {key: value for key, value in super()._environment().items() if key != "PYTHONPATH"}
