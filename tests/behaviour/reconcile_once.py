"""One apply in a separate process, so that a test can kill it. It reads its input as JSON from standard input."""

from __future__ import annotations

import json
import sys
from typing import Any

from bootstrap.remote.connections import CatalogConnection, Connections, StoreConnection
from lakehouse.spec import Lakehouse
from tests.behaviour.reconciling import reconcile


def main(given: dict[str, Any]) -> int:
    store = StoreConnection(*given["store"])
    connections = Connections(store, {"lake": CatalogConnection(*given["catalog"])}, patience=5.0)
    print("began", flush=True)
    return reconcile(Lakehouse.model_validate(given["lakehouse"]), connections).exit_code


if __name__ == "__main__":
    sys.exit(main(json.load(sys.stdin)))
