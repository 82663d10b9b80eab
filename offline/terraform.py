"""``python -m offline.terraform``: OpenTofu, built from its Go module, if no terraform and no tofu is on PATH."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence

from lakehouse.errors import LakehouseError
from lakehouse.packages import cached, is_present, set_up, terraform
from offline import go


def main(arguments: Sequence[str] | None = None) -> int:
    """Build it if it is needed. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m offline.terraform", description=__doc__)
    parser.add_argument("--prepare", action="store_true", help="only fetch a Go to build it with")
    options = parser.parse_args(arguments)
    try:
        build_if_needed(prepare=options.prepare)
    except LakehouseError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; what Go has compiled is kept for the next run", file=sys.stderr)
        return 130
    return 0


def build_if_needed(*, prepare: bool = False) -> None:
    """Build OpenTofu if there is no program that cdktf could call; with ``prepare`` only fetch a Go to build it with.

    Raises LakehouseError if it cannot be built, or if the variable names a program that is not there.
    """
    chosen = terraform.installed(os.environ)
    if chosen is not None:
        if shutil.which(chosen) is None:  # only the variable may name what is not there
            raise LakehouseError(f"{terraform.VARIABLE} names {chosen}, which is not on PATH. Correct or unset it.")
        return
    if is_present(terraform.PACKAGE):
        return
    try:
        if prepare:
            go.prepare(cached.location(terraform.PACKAGE).name)
        else:
            set_up([terraform.PACKAGE], build=go.build)
    except LakehouseError as error:
        raise LakehouseError(f"{error}\nOr {terraform.INSTALL}.") from error


if __name__ == "__main__":
    sys.exit(main())
