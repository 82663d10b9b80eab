"""``python -m bootstrap.cli.packages``: fetch the packages that lakehouse.yaml needs, or others by name; list all."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from bootstrap.project.set_up import packages as fetch_packages
from lakehouse import project
from lakehouse.errors import LakehouseError
from lakehouse.packages import set_up
from lakehouse.packages.catalogue import PACKAGES
from offline.go import build


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; the result is the exit code."""
    options = _parser().parse_args(arguments)
    try:
        if options.action == "list":
            _list()
        elif options.names:
            _fetch_named(options.names, verify=options.verify)
        else:
            _fetch_needed(project.file(options.file), options.stack, verify=options.verify)
    except LakehouseError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; downloaded files are kept for the next run", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bootstrap.cli.packages", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="print the catalogue: name, version, size of the download, reason")
    fetch = actions.add_parser("fetch", help="fetch what is missing into the user's cache folder")
    fetch.add_argument("names", nargs="*", metavar="NAME", help="a package [default: those that the file needs]")
    fetch.add_argument("--verify", action="store_true", help="read every file, and fetch damaged ones again")
    fetch.add_argument("--stack", help="only what this stack of the file needs [default: all of its stacks]")
    fetch.add_argument("--file", type=Path, help="lakehouse.yaml [default: as for every command]")
    return parser


def _list() -> None:
    for package in PACKAGES:
        # Java and Go have one artifact for each platform; only one of them is fetched.
        artifacts = [each for each in package.artifacts if not each.platform] or package.artifacts[:1]
        size = f"{sum(artifact.size for artifact in artifacts) / 1e6:5,.0f} MB" if artifacts else "   built"
        print(f"{package.name:28} {package.version:10} {size}  {package.reason}")


def _fetch_named(names: Sequence[str], *, verify: bool) -> None:
    javas = {name: int(match[1]) for name in names if (match := re.fullmatch(r"java-(\d+)", name))}
    set_up([name for name in names if name not in javas], javas.values(), verify=verify, build=build)


def _fetch_needed(path: Path, stack: str | None, *, verify: bool) -> None:
    from lakehouse.spec import load

    fetch_packages(load(path), path, stack=stack, verify=verify)


if __name__ == "__main__":
    sys.exit(main())
