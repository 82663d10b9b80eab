"""The sources that builds run: the toolkit's, and the file with what the stack's contents need beside it.

A zip with two folders. Only files that are named here are in it, so nothing that a deploy, an editor or a person leaves
in the folders (state, data, secrets) gets there. The same sources have the same digest on every machine, also in a
build itself, or each look for drift would find the zip changed.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path

from lakehouse import toolkit
from lakehouse.errors import UsageError
from lakehouse.spec import Lakehouse

#: The file in the folder of the stack's synthesised JSON, where Terraform runs, and its key in the bucket.
NAME = "source.zip"
#: The folders in it.
TOOLKIT, PROJECT = "toolkit", "project"
#: Files and folders of a checkout that `make` and the commands of a build need.
PARTS = (
    ".npmrc",
    "LICENSE",
    "Makefile",
    "Pipfile",
    "Pipfile.lock",
    "README.md",
    "bin",
    "bootstrap",
    "cdktf.json",
    "constructs",
    "lakehouse.schema.json",
    "main.py",
    "offline",
    "package-lock.json",
    "package.json",
    "pyproject.toml",
    "setup.py",
    "stacks",
    "uv.txt",
)
_LEFT = (".*", "__pycache__", "*.pyc", "*.egg-info", "*.tfstate*", "cdktf.out", "cdktf.log")
_FIRST = (1980, 1, 1, 0, 0, 0)  # the time of every file; the earliest that a zip knows
_PROGRAM, _FILE = 0o755, 0o644


def files(path: Path, lakehouse: Lakehouse, stack: str) -> dict[str, Path]:
    """The files by their names in the zip; ``path`` is the lakehouse.yaml.

    Raises UsageError if the toolkit is installed, or if a seed is not below the folder of the file.
    """
    if toolkit.is_installed():
        raise UsageError(
            f"{path.name}: stacks.{stack}.schedule needs the toolkit as a checkout, because builds get its sources "
            "from there, and here it is installed. Deploy from a clone, or remove `schedule`"
        )
    root = toolkit.root()
    found = {f"{TOOLKIT}/{name}": each for part in PARTS for name, each in _of(root, part)}
    found[f"{PROJECT}/{path.name}"] = path
    for seed in sorted(_seeds(lakehouse)):
        where = path.parent / seed
        if not where.resolve().is_relative_to(path.parent.resolve()):
            raise UsageError(
                f"{path.name}: stacks.{stack}.schedule cannot use the seed {seed}, because builds get only files below "
                "the folder of the file. Move it there, or remove `schedule`"
            )
        if where.is_file():  # one that is missing is reported where it is read
            found[f"{PROJECT}/{seed}"] = where
    return dict(sorted(found.items()))


def digest(found: Mapping[str, Path]) -> str:
    """The digest of names and contents. Times, owners and modes of files have no part in it."""
    whole = hashlib.sha256()
    for name, each in found.items():
        whole.update(f"{name}\0{hashlib.sha256(each.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()


def write(found: Mapping[str, Path], to: Path) -> None:
    """Write the zip."""
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, each in found.items():
            entry = zipfile.ZipInfo(name, _FIRST)
            program = name.startswith(f"{TOOLKIT}/bin/")
            entry.external_attr = (_PROGRAM if program else _FILE) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, each.read_bytes())


def _of(root: Path, part: str) -> Iterator[tuple[str, Path]]:
    whole = root / part
    if whole.is_file():
        yield part, whole
        return
    for each in sorted(whole.rglob("*")):
        inside = each.relative_to(whole)
        if each.is_file() and not any(fnmatch(name, left) for name in inside.parts for left in _LEFT):
            yield f"{part}/{inside.as_posix()}", each


def _seeds(lakehouse: Lakehouse) -> set[str]:
    """The files that the contents name. `lakehouse plan` compares them with what was loaded."""
    return {
        table.seed
        for catalog in lakehouse.catalogs.values()
        for namespace in catalog.namespaces.values()
        for table in namespace.tables.values()
        if table.seed
    }
