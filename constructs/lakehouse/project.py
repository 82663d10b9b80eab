"""Where a project's lakehouse.yaml is. Imports little, because every command of cdktf waits for it."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from lakehouse.errors import UsageError

#: The name of a project's file.
FILE = "lakehouse.yaml"
_NEARLY = ("lakehouse.yml", "Lakehouse.yaml", "lakehouse.yaml.txt", "lakehouse.json")  # how some call it
#: The variable that tells the CDK app that a stack will be destroyed, so that it accepts more of the file.
DESTROYING = "LAKEHOUSE_DESTROYING"
#: The variable that tells the CDK app to declare only the stack of that name. The others' packages may be missing.
ONLY_STACK = "LAKEHOUSE_ONLY_STACK"
#: The variable that tells the CDK app which stack is deployed or compared; others may be declared with it.
ASKED_STACK = "LAKEHOUSE_ASKED_STACK"


class NoProject(UsageError):
    """No lakehouse.yaml was named, and none was found. ``path`` is where it would be."""

    def __init__(self, path: Path, rule: str) -> None:
        super().__init__(f"{path}: {rule}")
        self.path, self.rule = path, rule


def file(named: Path | None = None) -> Path:
    """The file of a command: ``named``, else $LAKEHOUSE_FILE, else that of the working folder or the nearest above.

    A file that is named need not exist. One that is planted is not found.

    Raises NoProject if none is named and none is found.
    """
    chosen = named or (Path(given) if (given := os.environ.get("LAKEHOUSE_FILE")) else None)
    try:
        return chosen.resolve() if chosen else _above(Path.cwd())
    except (OSError, RuntimeError) as error:  # a link that leads to itself
        raise NoProject(chosen or Path(FILE), f"the file cannot be read: {error}. Name another") from None


def is_planted(path: Path) -> bool:
    """Whether another user put the file into a folder that everyone can write to, such as /tmp.

    What is searched for upwards must not be such a file, because it says what is run.
    """
    try:
        owners = {path.stat().st_uid, path.lstat().st_uid}  # of the file, and of a link to it
        open_to_all = bool(path.parent.stat().st_mode & stat.S_IWOTH)
    except OSError:
        return False
    return open_to_all and not owners <= {os.getuid(), 0}


def _above(here: Path) -> Path:
    folders = [here, *here.parents]
    for each in folders:
        path = each / FILE
        with suppress(PermissionError):  # of a folder that this user may not search
            if path.exists() and not is_planted(path):
                return path.resolve()
    where = ", ".join(str(each) for each in folders)
    there = next((each for each in _NEARLY if (here / each).is_file()), "")
    fix = f"Rename {there} to {FILE}, or name it" if there else "Go to the project's folder, or name the file"
    raise NoProject(
        here / FILE,
        f"there is no {FILE} here, nor in a folder above (looked in {where}). {fix}: --file {there or 'FILE'}, or "
        f"LAKEHOUSE_FILE={there or 'FILE'}. `lakehouse init FOLDER` makes a new project.",
    )


def destroying() -> bool:
    """Whether a `destroy` runs this CDK app: then it accepts what would stop a deploy.

    cdktf does not pass its command to the app, so its command line is read.
    """
    if os.environ.get(DESTROYING):
        return True
    import psutil

    try:
        lines = [parent.cmdline() for parent in psutil.Process().parents()]
    except psutil.Error:
        return False
    return any("destroy" in line and any("cdktf" in word for word in line) for line in lines)
