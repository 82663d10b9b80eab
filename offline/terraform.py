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
    chosen = terraform.installed(os.environ)
    try:
        if chosen is None:
            _make(prepare=options.prepare)
        elif shutil.which(chosen) is None:  # only the variable may name what is not there
            raise LakehouseError(f"{terraform.VARIABLE} names {chosen}, which is not on PATH. Correct or unset it.")
    except LakehouseError as error:
        print(f"error: {error}", file=sys.stderr)
        if chosen is None:
            print(f"Or {terraform.INSTALL}.", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; what Go has compiled is kept for the next run", file=sys.stderr)
        return 130
    return 0


def _make(*, prepare: bool) -> None:
    if is_present(terraform.PACKAGE):
        return
    if prepare:
        go.prepare(cached.location(terraform.PACKAGE).name)
    else:
        set_up([terraform.PACKAGE], build=go.build)


if __name__ == "__main__":
    sys.exit(main())
