"""``python -m lakehouse.runtimes.before PID deploy STACK``: what ``bin/cdktf`` does before it starts cdktf.

``lakehouse deploy`` does it too (``bootstrap/deploy/direct.py``). It refuses a user that cannot deploy, waits for the
lock of Terraform's state, and prints the temporary folder for the process with that id, which becomes cdktf. It imports
little, because every command of cdktf waits for it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from lakehouse import project
from lakehouse.errors import LakehouseError
from lakehouse.runtimes import lock, temporary
from lakehouse.runtimes.state import check_user

STOP = 75  # the exit code that tells bin/cdktf not to start cdktf

_DEPLOYING = {"deploy", "apply"}
_LOCKING = {*_DEPLOYING, "destroy", "diff", "plan"}


def refusal(file: Path, words: Sequence[str]) -> str:
    """Why this user cannot deploy the stacks that a command line of cdktf names, as text; empty if it can.

    The preflight reports the same half a minute later. The file is read only if the system does not know the user,
    which matters neither to containers nor to AWS.
    """
    try:
        check_user()
    except LakehouseError as error:
        why = str(error)
    else:
        return ""
    from lakehouse.spec import LocalStack, load

    try:
        stacks = load(file).stacks
    except LakehouseError:
        return ""  # the CDK app reports what is wrong with it
    meant = [each for name, each in stacks.items() if any(fnmatchcase(name, word) for word in words[1:])]
    local = [each for each in meant or stacks.values() if isinstance(each, LocalStack)]
    return why if any(each.runtime == "process" for each in local) else ""


def wait(words: Sequence[str]) -> None:
    """Wait until what the words say can begin. Raises LakehouseError if it cannot."""
    command = words[0] if words else ""
    try:
        file = project.file()
    except project.NoProject:
        return  # the CDK app reports it
    if command in _DEPLOYING and (why := refusal(file, words)):
        raise LakehouseError(why)
    for state in lock.states(file, words) if command in _LOCKING else ():
        if why := lock.wait(state):
            raise LakehouseError(why)


def main(arguments: Sequence[str] | None = None) -> int:
    pid, *words = sys.argv[1:] if arguments is None else arguments
    try:
        wait(words)
    except LakehouseError as error:
        print(f"Error: {error}", file=sys.stderr)
        return STOP
    except KeyboardInterrupt:
        return STOP
    print(temporary.make(int(pid)) or "")
    return 0


if __name__ == "__main__":
    sys.exit(main())
