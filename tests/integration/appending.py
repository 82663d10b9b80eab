"""A client that appends rows with PyIceberg while something changes, and knows which were acknowledged."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from bootstrap.session.clients import iceberg
from bootstrap.session.target import find
from tests.integration.deployment import Deployment, until


class Appender:
    """Appends one row at a time to a table with a column ``id``. A number is never sent twice: it may be there."""

    def __init__(self, deployment: Deployment, catalog: str, table: str, **settings: str) -> None:
        self._table = iceberg(find(deployment.file, "local"), catalog, **settings).load_table(table)
        self._over = threading.Event()
        self.number = 0
        self.acknowledged: list[int] = []
        self.failures: list[str] = []

    def _append(self) -> None:
        while not self._over.is_set():
            self.number += 1
            try:
                self._table.refresh()
                self._table.append(pa.table({"id": pa.array([self.number], pa.int64())}))
            except Exception as error:  # noqa: BLE001 - whatever it is, the row is not acknowledged
                self.failures.append(f"{type(error).__name__}: {error}")
                self._over.wait(0.2)
            else:
                self.acknowledged.append(self.number)

    @contextmanager
    def appending(self) -> Iterator[None]:
        """Append for as long as the context lasts, from the first acknowledged row on."""
        thread = threading.Thread(target=self._append)
        thread.start()
        try:
            self.until_more()
            yield
        finally:
            self._over.set()
            thread.join()

    def until_more(self) -> None:
        """Wait until two further rows are acknowledged: the second was begun after the call."""
        before = len(self.acknowledged)
        until(lambda: len(self.acknowledged) > before + 1, 60, lambda: "\n".join(self.failures[-3:]))
