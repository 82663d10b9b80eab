"""Files of an earlier definition in a service's configuration folder."""

from __future__ import annotations

from lakehouse.runtimes.state import State, write_private
from lakehouse.services.service import Service


def clear(state: State, service: Service) -> None:
    """Remove the files that an earlier definition wrote and this one lacks, such as a Trino catalog of a branch.

    Files that the program wrote itself stay, such as those of Trino's CREATE CATALOG.
    """
    for path in gone(state, service):
        (state.config(service.name) / path).unlink(missing_ok=True)
    write_private(state.written(service.name), "\n".join(sorted(file.path for file in service.files)))


def gone(state: State, service: Service) -> set[str]:
    """Those files."""
    listed = state.written(service.name)
    former = set(listed.read_text().splitlines()) if listed.is_file() else set()
    return former - {file.path for file in service.files}
