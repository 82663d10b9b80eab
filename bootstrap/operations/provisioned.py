"""What a step of Terraform's that calls AWS prints, and how it ends."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Literal

from botocore.exceptions import BotoCoreError, ClientError

from lakehouse.errors import LakehouseError
from lakehouse.text.terminal import shown_lines


def ended(work: Callable[[], Iterable[str]], failed: str) -> Literal[0, 1]:
    """Print each line of the work. Returns the exit code; ``failed`` says what AWS did not let it do."""
    try:
        for line in work():
            print(line, flush=True)
    except (BotoCoreError, ClientError) as error:
        print(f"Error: {failed}: {shown_lines(error)}", file=sys.stderr)
        return 1
    except LakehouseError as error:
        print(f"Error: {shown_lines(error)}", file=sys.stderr)
        return 1
    return 0
