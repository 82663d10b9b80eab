"""What a backup has besides the catalogs: the file, the files that it names, and the secrets; and a folder of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from lakehouse.errors import LakehouseError, UsageError
from lakehouse.runtimes import generations, owner
from lakehouse.runtimes.state import folder as state_folder
from lakehouse.runtimes.state import write_private
from lakehouse.spec import Lakehouse, LocalStack
from lakehouse.spec.source import read

_LONGEST = 250  # bytes of a file's name; the file system refuses to look for more than 255
_STATE, _BESIDE = "state", "beside"
#: The folders of the state folder that a new machine cannot make again as they were.
_KEPT = ("secrets", "names", "access", "certificates")


@dataclass(frozen=True)
class Bundle:
    """``file`` is the lakehouse's file; ``beside`` are the others, which are sealed, by their names in the backup."""

    lakehouse: str
    stack: str
    file_name: str
    file: bytes
    beside: Mapping[str, bytes] = field(repr=False)


def gather(path: Path, lakehouse: Lakehouse, stack: str) -> Bundle:
    """The bundle of a stack, from its folder and its state folder. Raises LakehouseError if a file cannot be read."""
    root = state_folder(path, stack, _chosen(lakehouse, stack))
    found: dict[str, bytes] = {}
    try:
        for name in sorted(set(_named(read(path).data))):
            if _may_name(name) and (path.parent / name).is_file():
                found[f"{_BESIDE}/{name}"] = (path.parent / name).read_bytes()
        files = [each for folder in _KEPT for each in sorted((root / folder).rglob("*")) if each.is_file()]
        files += [each for each in (root / generations.FILE,) if each.is_file()]
        found |= {f"{_STATE}/{each.relative_to(root).as_posix()}": each.read_bytes() for each in files}
        return Bundle(lakehouse.name, stack, path.name, path.read_bytes(), found)
    except OSError as error:
        raise LakehouseError(f"{error.filename} cannot be read: {error.strerror}.") from None


def unpack(folder: Path, bundle: Bundle, cdktf: Mapping[str, Any]) -> Path:
    """Write the bundle into a new or empty folder, from which `lakehouse deploy` brings up what it describes.

    Returns the lakehouse's file, which may be one that only an earlier version takes: its user has to get at it and at
    the secrets. Raises UsageError if the folder is not empty, or if the state folder outside of it is in use.
    """
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{folder} is not an empty folder. Name one that does not exist.")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error.strerror}. Name another folder.") from None
    path = folder / bundle.file_name
    try:
        (folder / "cdktf.json").write_text(json.dumps(cdktf, indent=2) + "\n")
        for name, content in _parts(bundle.beside, _BESIDE):
            write_private(_inside(folder, name), content)
        path.write_bytes(bundle.file)
        root = state_folder(path, bundle.stack, _written(path, bundle.stack))
        state = list(_parts(bundle.beside, _STATE))
        if state and root.exists() and any(root.iterdir()):  # named by `state`, as nothing in the new folder is it
            raise UsageError(
                f"{path} says that the state folder is {root}, which is not empty: the secrets there are those of "
                f"another lakehouse, and were not replaced. Restore on another machine, or move that folder away; then "
                f"delete {folder} and try again."
            )
        for name, content in state:
            write_private(_inside(root, name), content)
        if state:
            root.chmod(0o700)
            mark = owner.Owner(bundle.lakehouse, bundle.stack, owner.new_id(), str(path), str(root))
            owner.write_mark(root, mark)
    except OSError as error:
        raise LakehouseError(f"{error.filename} cannot be written: {error.strerror}. {folder} is incomplete.") from None
    return path


def _may_name(text: str) -> bool:
    """Whether the text may name a file beside the lakehouse's."""
    at = PurePosixPath(text)
    return len(text.encode()) < _LONGEST and text.isprintable() and not at.is_absolute() and ".." not in at.parts


def _parts(files: Mapping[str, bytes], kind: str) -> Iterator[tuple[str, bytes]]:
    for name, content in files.items():
        if name.startswith(f"{kind}/"):
            yield name.removeprefix(f"{kind}/"), content


def _inside(folder: Path, name: str) -> Path:
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        raise LakehouseError(f'the backup has a file "{name}", which is outside of its folder. Nothing was written.')
    path = folder / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _chosen(lakehouse: Lakehouse, stack: str) -> str | None:
    of = lakehouse.stacks.get(stack)
    return of.state if isinstance(of, LocalStack) else None


def _written(path: Path, stack: str) -> str | None:
    """What the file says of the stack's state folder, also if this version does not take the rest of it."""
    try:
        state = read(path).data["stacks"][stack]["state"]
    except (LakehouseError, LookupError, TypeError):
        return None
    return state if isinstance(state, str) else None


def _named(value: Any) -> Iterator[str]:
    """Every text in the file: some of them name files beside it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _named(each)
    elif isinstance(value, list):
        for each in value:
            yield from _named(each)
