"""The parts of a wheel that pyproject.toml cannot name: the locked dependencies, and the files beside the packages."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
#: They are in ``lakehouse/carried`` of a wheel, where :mod:`lakehouse.toolkit` finds them.
CARRIED = (
    "main.py",
    "bin",
    "images",
    "lakehouses",
    "ansible",
    "package.json",
    "package-lock.json",
    ".npmrc",
    "Pipfile",
    "Pipfile.lock",
    "uv.txt",
    "lakehouse.schema.json",
)
#: What a deploy or a tool leaves in these folders of a checkout: secrets, state and data, above all.
LEFT = (".*", "*.tfstate*", "cdktf.out", "cdktf.log", "target", "logs", "__pycache__", "*.pyc")


def locked() -> list[str]:
    """The packages of Pipfile.lock as requirements, each with its only version."""
    found = json.loads((ROOT / "Pipfile.lock").read_text())["default"]
    return [
        f"{name}{_extras(entry)}{entry['version']}" + (f"; {entry['markers']}" if "markers" in entry else "")
        for name, entry in sorted(found.items())
    ]


def _extras(entry: dict[str, list[str]]) -> str:
    return f"[{','.join(entry['extras'])}]" if "extras" in entry else ""


class Build(build_py):  # type: ignore[misc]  # it has no types
    """Also copies what the wheel carries. An editable installation uses the checkout itself."""

    def run(self) -> None:
        if not self.editable_mode:
            shutil.rmtree(self.build_lib, ignore_errors=True)  # of a former wheel, with modules that are gone now
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib, "lakehouse", "carried")
        target.mkdir(parents=True)
        for name in CARRIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns(*LEFT))
            else:
                shutil.copy(ROOT / name, target / name)


if __name__ == "__main__":
    setup(cmdclass={"build_py": Build}, install_requires=locked())
