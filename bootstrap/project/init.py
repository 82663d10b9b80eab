"""``lakehouse init``: writes a new project into a folder, and nothing over an existing file unless it is asked to."""

from __future__ import annotations

import json
import os
import re
import tempfile
import uuid
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bootstrap.project.free_ports import free_ports
from bootstrap.project.templates import Template, lakehouse_yaml, readdressed, with_ports
from lakehouse import toolkit
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.project import FILE
from lakehouse.runtimes.processes import is_bindable
from lakehouse.spec import LocalStack, load
from lakehouse.spec.ports import ports
from lakehouse.spec.values import LakehouseName

_NAME: TypeAdapter[str] = TypeAdapter(LakehouseName)
_SCHEMA = "lakehouse.schema.json"
_IGNORED = """\
# made by a deploy: state, secrets and data of this machine
.lakehouse/
cdktf.out/
.pipeline/
terraform.*.tfstate*
.terraform/
cdktf.log
"""


@dataclass(frozen=True)
class NewProject:
    """The files of a project by their names in its folder, and the ports that are not the usual ones, by name."""

    folder: Path
    name: str
    files: Mapping[str, str]
    moved: Mapping[str, int] = field(default_factory=dict)

    @property
    def existing(self) -> list[str]:
        """Files of the folder that would be overwritten, or links. A .gitignore is only completed."""
        return [name for name in self.files if name != ".gitignore" and os.path.lexists(self.folder / name)]


def suggested(folder: Path) -> str:
    """The lakehouse's name that the folder's name suggests; empty if it suggests none."""
    return re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-0123456789")[:31].rstrip("-")


def planned(folder: Path, template: Template, name: str) -> NewProject:
    """The project that would be written. Raises UsageError if the name or the folder cannot be one."""
    checked(name)
    check(folder)
    text = lakehouse_yaml(template.source.read_text(), name)
    before, after = _ports(text)
    numbers = {before[port]: number for port, number in after.items() if number != before[port]}
    files = {FILE: readdressed(with_ports(text, after) if numbers else text, numbers)}
    files["cdktf.json"] = json.dumps(cdktf_json(), indent=2) + "\n"
    files[".gitignore"] = _IGNORED
    files[_SCHEMA] = (toolkit.root() / _SCHEMA).read_text()
    files |= {each: readdressed(source.read_text(), numbers) for each, source in template.beside.items()}
    return NewProject(folder, name, files, after if numbers else {})


def checked(name: str) -> str:
    """The name. Raises UsageError if a lakehouse cannot have it."""
    try:
        return _NAME.validate_python(name)
    except ValidationError as error:
        raise UsageError(f"{error.errors()[0]['ctx']['error']} Give another with --name.") from None


def check(folder: Path) -> None:
    """Raises UsageError if no project can be in this folder."""
    if not str(folder).isprintable():
        raise UsageError(f"{str(folder)!r} has characters that cannot be printed. Name another folder.")
    try:
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{folder} is a file. Name a folder, which need not exist.")
    except OSError as error:
        raise UsageError(f"{folder} cannot be a folder: {error.strerror}.") from error


def write(project: NewProject, *, replace: Collection[str] = ()) -> list[Path]:
    """Write the files; ``replace`` names the existing ones that may be overwritten. Returns what was written.

    Raises UsageError if there are others, before anything is written; LakehouseError if a file cannot be written.
    """
    if kept := [name for name in project.existing if name not in replace]:
        raise UsageError(
            f"{project.folder} has {', '.join(kept)} already. Choose another folder, or replace "
            f"{'it' if len(kept) == 1 else 'them'} with --force."
        )
    paths = {project.folder / name: text for name, text in project.files.items()}
    new = [path for path in paths if not path.exists()]
    folders = [each for path in paths for each in (path.parent, *path.parent.parents) if not each.exists()]
    written: list[Path] = []
    path = project.folder
    try:
        for path, text in paths.items():
            content = _completed(path, text) if path.name == ".gitignore" else text
            if content is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content)
                written.append(path)
    except OSError as error:
        _remove(new, folders)
        raise LakehouseError(f"{path} cannot be written: {error.strerror}.") from error
    return written


def _remove(files: Iterable[Path], folders: Iterable[Path]) -> None:
    """Remove what was written, so that on a full disk no half project is left, which the next try would refuse."""
    for path in files:
        with suppress(OSError):
            path.unlink()
    for path in sorted(set(folders), key=lambda each: len(each.parts), reverse=True):
        with suppress(OSError):
            path.rmdir()


def cdktf_json() -> dict[str, object]:
    return {
        "language": "python",
        "app": "lakehouse synth",
        "projectId": str(uuid.uuid4()),
        "sendCrashReports": "false",
        "terraformProviders": [],
        "terraformModules": [],
        "context": {},
    }


def _ports(text: str) -> tuple[dict[str, int], dict[str, int]]:
    """The ports of the file's local stack as they are, and as this machine has them free."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / FILE
        path.write_text(text)
        lakehouse = load(path)
    local = [name for name, stack in lakehouse.stacks.items() if isinstance(stack, LocalStack)]
    usual = ports(lakehouse, local[0]) if local else {}
    return usual, free_ports(usual, is_bindable) or usual


def _completed(path: Path, text: str) -> str | None:
    """The file with the lines that it lacks; None if it lacks none."""
    if not path.exists():
        return text
    before = path.read_text()
    missing = [line for line in text.splitlines() if line not in before.splitlines() and not line.startswith("#")]
    if not missing:
        return None
    return before + ("" if before.endswith("\n") or not before else "\n") + "\n".join(missing) + "\n"
