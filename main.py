"""The CDK app: reads lakehouse.yaml and declares one stack for each entry of its ``stacks``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from lakehouse.errors import LakehouseError


def main() -> int:
    """Synthesises every stack of the file named by LAKEHOUSE_FILE, or of ./lakehouse.yaml."""
    path = Path(os.environ.get("LAKEHOUSE_FILE", "lakehouse.yaml")).resolve()
    try:
        from lakehouse.spec import load

        lakehouse = load(path)  # before the CDK is imported: a wrong file is reported at once
        from stacks import synth

        synth(lakehouse, path)
    except LakehouseError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
