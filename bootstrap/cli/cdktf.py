"""``cdktf`` of an installed toolkit: the script ``bin/cdktf`` with the cdktf-cli of the user's cache folder."""

from __future__ import annotations

import os
import sys

from lakehouse import toolkit
from lakehouse.errors import LakehouseError
from lakehouse.packages import cdktf_cli


def main() -> None:
    """The console script: becomes cdktf with the same arguments."""
    try:
        cdktf_cli.set_up()
    except LakehouseError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    places = {
        "LAKEHOUSE_CDKTF_CLI": str(cdktf_cli.script()),
        "LAKEHOUSE_NODE": str(toolkit.node()),
        "LAKEHOUSE_PYTHON": sys.executable,
    }
    script = toolkit.root() / "bin" / "cdktf"  # run by the shell, because a wheel need not keep its mode
    os.execve("/bin/sh", ["sh", str(script), *sys.argv[1:]], {**os.environ, **places})  # noqa: S606 - sh itself
