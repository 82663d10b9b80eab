"""`lakehouse` commands in forks of one process that has imported what they need.

The imports are most of the processor time of a command. A fork has its own variables, folder, output and exit code, as
a new process has. Tests of how the program starts, of signals and of terminals start it as a user does.
"""

from __future__ import annotations

import atexit
import faulthandler
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path
from pkgutil import walk_packages

import bootstrap

# Not pyspark: which client a command imports depends on the lakehouse's version of Spark.
_OF_OTHERS = (
    "boto3.s3.transfer",
    "pyarrow.parquet",
    "pyiceberg.catalog.rest",
    "rich.live",
)


@cache
def _imported() -> ForkServerContext:
    """The process that has imported all modules of the commands, and the packages that these import."""
    found = [each.name for each in walk_packages(bootstrap.__path__, "bootstrap.") if "__main__" not in each.name]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *_OF_OTHERS, *found])
    return context


def run(words: Sequence[str], folder: Path, environment: Mapping[str, str], timeout: float) -> tuple[int, str]:
    """Run the command in the folder. Returns its exit code, and its output with what it wrote to stderr."""
    with tempfile.TemporaryDirectory() as place:
        files = [Path(place) / name for name in ("stdout", "stderr")]
        process = _imported().Process(target=_command, args=(list(words), folder, dict(environment), files))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutError(f"lakehouse {' '.join(words)} did not end within {timeout:.0f} s")
        code = process.exitcode
        process.close()
        return code, "".join(each.read_text() for each in files if each.exists())


def _command(words: list[str], folder: Path, environment: dict[str, str], files: list[Path]) -> None:
    for descriptor, file in enumerate(files, start=1):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    faulthandler.enable()
    sys.argv = ["lakehouse", *words]
    from bootstrap.cli.main import main

    try:
        main()
    finally:
        atexit._run_exitfuncs()  # multiprocessing does not
