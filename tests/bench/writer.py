"""A client that writes while services fail, and knows which of its rows were acknowledged."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.integration.deployment import Deployment


class Writer:
    """Inserts rows with Trino, one per statement. A row counts as acknowledged when its INSERT has answered."""

    def __init__(self, deployment: Deployment, table: Callable[[], str]) -> None:
        """``table`` names the table of the next row."""
        self._deployment, self._table = deployment, table
        self._over = threading.Event()
        self.number = 0
        self.acknowledged: set[int] = set()

    def _write(self) -> None:
        while not self._over.is_set():
            self.number += 1  # a number is never sent twice: the row of a lost answer may exist
            try:
                self._deployment.trino(f"INSERT INTO {self._table()} VALUES {self.number}")
            except Exception:  # noqa: BLE001 - whatever a killed server makes a client say: not acknowledged
                self._over.wait(0.2)
            else:
                self.acknowledged.add(self.number)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write for as long as the context lasts."""
        self._over.clear()
        thread = threading.Thread(target=self._write)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()
