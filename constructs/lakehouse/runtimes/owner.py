"""The owner of a state folder. A mark in the folder names the lakehouse, the stack, the file and an id.

The mark is checked before anything in the folder is written, taken over or deleted. A folder without a mark is used
only if it is empty, or if an earlier version of this project created it.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lakehouse.errors import LakehouseError, UsageError
from lakehouse.runtimes.state import State, write_private

MARK = "owner.json"  # in the state folder; beside services.json, a file of the same name holds the claim
ADOPT = "`lakehouse adopt`"

#: Every folder that a lakehouse makes in its state folder. `destroy --data` removes these and nothing beside them.
FOLDERS = (
    "data",
    "services",
    "logs",
    "run",
    "cache",
    "secrets",
    "access",
    "names",
    "certificates",
    "tmp",
    "schedule",
    "hosts",
    "slots",
)
# The tables that were published. It outlives the data, because their readers still show them.
PUBLISHED = "metadata.json"
_NO_DATA = {PUBLISHED, "lost+found"}  # the latter is the file system's
_KEYS = ("store-access-key", "store-secret-key")


@dataclass(frozen=True)
class Owner:
    """The mark. Everything that the lakehouse creates has its ``id``; with ``buckets``, its buckets too."""

    lakehouse: str
    stack: str
    id: str
    file: str
    folder: str
    buckets: bool = True  # False until the first apply has marked the buckets of an earlier version

    def __str__(self) -> str:
        return f'lakehouse "{self.lakehouse}", stack {self.stack}, of {self.file}'


@dataclass(frozen=True)
class OwnerClaim:
    """The claim of a file to be the owner of a state folder."""

    owner: Owner
    deployed: bool  # Terraform's state beside the file knows this stack
    catalogs: tuple[tuple[str, str], ...]  # name and location of each


def place(root: Path, file: Path, at: str) -> None:
    """Raises UsageError if the state folder would be the user's home, the folder of the file, or contain them.

    A state folder is closed to other users and removed as a whole, so it cannot be one of those.
    """
    real = root.resolve()
    for what, folder in (("the folder of the file", file.parent), ("your home folder", _home())):
        if folder is not None and (real == folder.resolve() or real in folder.resolve().parents):
            raise UsageError(f"{at}: the state folder would be {real}, which is or contains {what}. {_NAME_ANOTHER}")
    if real.parent == Path(real.anchor):
        raise UsageError(f"{at}: the state folder would be {real}, at the top of the file system. {_NAME_ANOTHER}")


_NAME_ANOTHER = "Name a separate folder under `state`, or remove `state`."


def read(root: Path) -> Owner | None:
    """The mark of a state folder; None if it has none.

    Raises LakehouseError if the mark is damaged or cannot be read.
    """
    path = root / MARK
    try:
        content = json.loads(path.read_text())
        return Owner(**{key: content[key] for key in ("lakehouse", "stack", "id", "file", "folder", "buckets")})
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise LakehouseError(
            f"{path}, which names the owner of the state folder, cannot be read: {error.strerror}. "
            "Deploy as the user that owns it, or make it readable."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise LakehouseError(
            f"{path}, which names the owner of the state folder, is damaged. Nothing was changed. "
            f"If the folder belongs to this lakehouse, {ADOPT} writes the mark again."
        ) from error


def claim(state: State, owner: Owner, *, deployed: bool, catalogs: tuple[tuple[str, str], ...]) -> OwnerClaim:
    """The claim, with the id of the existing mark if that is ours, else with a new id. Writes nothing."""
    try:
        found = read(state.root)
    except LakehouseError:
        found = None
    asked = OwnerClaim(owner, deployed, catalogs)
    if found is None or refusal(state, asked):
        return asked
    if _copied(found, state.root):
        return replace(asked, owner=replace(owner, id=new_id(), buckets=found.buckets))
    return replace(asked, owner=replace(owner, id=found.id, buckets=found.buckets))


def new_id() -> str:
    """An id that no other lakehouse has."""
    return secrets.token_hex(8)


def refusal(state: State, asked: OwnerClaim) -> str:
    """Why the file must not use the state folder and how to fix it, as text; empty if it may. Writes nothing."""
    root, owner = state.root, asked.owner
    for outer in root.resolve().parents:
        if (outer / MARK).is_file():
            return f"The state folder {root} is inside the state folder {outer} of the {read(outer)}. {_NAME_ANOTHER}"
    another = f"name another folder under stacks.{owner.stack}.state in {owner.file}"
    found = read(root)
    if found is None:
        return _unmarked(state, asked, another)
    same_file = _same(Path(found.file), Path(owner.file))
    if (found.lakehouse, found.stack) != (owner.lakehouse, owner.stack):
        if same_file or not Path(found.file).exists():
            return (
                f"The state folder {root} holds the data of the {found}; the file now has `name: {owner.lakehouse}`. "
                f"If it was renamed, {ADOPT} transfers the data (on Docker, change the name back instead, because "
                f"volumes keep the former name). Otherwise {another}."
            )
        return f"The state folder {root} belongs to the {found}. Two lakehouses cannot share one: {another}."
    if not same_file and Path(found.file).exists() and _same(Path(found.folder), root):
        return (
            f"The state folder {root} belongs to another file with the same name: the {found}. Two files cannot share "
            f"one: {another}. If {found.file} is no longer used, {ADOPT} transfers the folder."
        )
    return ""


def check(state: State, asked: OwnerClaim) -> None:
    """Raises LakehouseError if the file must not use the state folder."""
    if why := refusal(state, asked):
        raise LakehouseError(why)


def may_stop(state: State, asked: OwnerClaim) -> bool:
    """Whether the file may stop what runs in the state folder: it is the owner, even if the lakehouse was renamed."""
    found = read(state.root)
    if found is None:
        return former(state.root)
    return _same(Path(found.file), Path(asked.owner.file)) or not Path(found.file).exists()


def mark(state: State, asked: OwnerClaim) -> None:
    """Write the mark. :func:`check` must have passed, and the folder must exist."""
    owner, found = asked.owner, read(state.root)
    if found is not None and _same(Path(found.folder), state.root):
        owner = replace(owner, id=found.id, buckets=found.buckets)  # two first deploys at once: one id
    elif found is None and former(state.root):
        owner = replace(owner, buckets=False)
    write_mark(state.root, owner)


def write_mark(root: Path, owner: Owner, *, overwrite: bool = False) -> None:
    """Write the mark of a state folder. ``overwrite`` also replaces a damaged mark."""
    if overwrite or read(root) != owner:
        write_private(root / MARK, json.dumps(asdict(owner), indent=1))


def buckets_marked(root: Path) -> None:
    """Record in the mark that the buckets of an earlier version now have the id."""
    if (found := read(root)) is not None:
        write_mark(root, replace(found, buckets=True))


def write_claim(folder: Path, asked: OwnerClaim) -> None:
    """Write the claim into the folder of the synthesised stack, for the steps."""
    (folder / MARK).write_text(json.dumps(asdict(asked), indent=1))


def read_claim(path: Path) -> OwnerClaim:
    """The claim that :func:`write_claim` wrote."""
    content: dict[str, Any] = json.loads(path.read_text())
    catalogs = tuple((name, location) for name, location in content["catalogs"])
    return OwnerClaim(Owner(**content["owner"]), content["deployed"], catalogs)


def former(root: Path) -> bool:
    """Whether an earlier version of this project created the folder, as its secrets or its record show."""
    try:
        if all(re.fullmatch("[0-9a-f]{40}", (root / "secrets" / name).read_text()) for name in _KEYS):
            return True
    except (OSError, UnicodeDecodeError):
        pass
    try:
        return bool(json.loads((root / "services" / "supervisord.json").read_text())["digest"] == "supervisord")
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _unmarked(state: State, asked: OwnerClaim, another: str) -> str:
    root = state.root
    if root.exists() and not root.is_dir():
        return f"The state folder {root} is a file. Remove it, or {another}."
    strange = sorted(holds(root))
    if not strange:
        return ""
    if not former(root):
        return (
            f"The state folder {root} is not empty, and no lakehouse created it: it holds {', '.join(strange[:3])}"
            f"{' and more' if len(strange) > 3 else ''}. A state folder is removed as a whole, so it must be new or "
            f"empty: {another}."
        )
    warehouses = set(_warehouses(root))
    if warehouses and asked.catalogs and not warehouses & set(asked.catalogs):
        held = ", ".join(f"catalog {name} at {location}" for name, location in sorted(warehouses))
        return (
            f"The state folder {root} holds the data of another lakehouse ({held}). {another[0].upper()}{another[1:]}. "
            f"If the file's catalogs were renamed or moved, {ADOPT} transfers the folder."
        )
    if not asked.deployed and _runs(state):
        return (
            f"The state folder {root} belongs to a running lakehouse that another file deployed. "
            f"{another[0].upper()}{another[1:]}. If it is this file's, stop it, and {ADOPT} transfers the folder."
        )
    return ""


def holds(root: Path) -> Iterator[str]:
    """The names in the folder, without those of empty folders that a lakehouse would create too."""
    try:
        for each in root.iterdir():
            if each.name in _NO_DATA:
                continue
            if each.name in FOLDERS and each.is_dir() and all(inner.is_dir() for inner in each.rglob("*")):
                continue
            yield each.name
    except FileNotFoundError:
        return
    except OSError as error:
        raise LakehouseError(f"The state folder {root} cannot be read: {error.strerror}.") from error


def _warehouses(root: Path) -> Iterator[tuple[str, str]]:
    from lakehouse.kinds import CATALOGS  # takes its time, and few folders have no mark

    for kind in CATALOGS.values():
        if kind.former is not None:
            yield from kind.former(root)


def _runs(state: State) -> bool:
    from lakehouse.runtimes.processes import belonging

    return next(belonging(state), None) is not None


def _copied(found: Owner, root: Path) -> bool:
    """Whether the folder is a copy of a folder that still exists."""
    other = Path(found.folder)
    try:
        original = None if _same(other, root) else read(other)
    except LakehouseError:
        return False
    return original is not None and original.id == found.id


def _same(one: Path, other: Path) -> bool:
    return one == other or one.resolve() == other.resolve()


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:  # the user has no entry in the list of users, and HOME is not set
        return None
