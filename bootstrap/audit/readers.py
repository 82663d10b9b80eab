"""Which layers of a stack on this machine keep a record, and what reads each."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bootstrap.audit.event import Reader, Redact
from bootstrap.audit.nessie import NessieCommits
from bootstrap.audit.polaris import PolarisRequests
from bootstrap.audit.trino import TrinoQueries
from bootstrap.catalogs import connect as open_catalog
from bootstrap.catalogs.references import references_of
from bootstrap.session.connect import connect
from bootstrap.session.target import Target
from bootstrap.session.trino_sql import TrinoEngine
from lakehouse.kinds import ENGINES, STORES
from lakehouse.kinds.catalogs import nessie, polaris
from lakehouse.kinds.engines import trino

_LINES = 200_000  # more than a log has before it is rotated
_SECONDS = 30.0  # that Trino may take


def readers(target: Target, redact: Redact) -> Iterator[Reader]:
    """One for each layer that keeps a record."""
    lakehouse, connections = connect(target.path, target.stack)
    if (engine := lakehouse.engines.trino) is not None:
        begin = partial(TrinoEngine, target, seconds=_SECONDS)
        yield TrinoQueries(begin, redact, target.asks_in_trino, engine.properties)
    for name, at in connections.catalogs.items():
        if at.kind == nessie.WORD:
            references = references_of(open_catalog(name, connections))
            yield NessieCommits(name, references, redact, named=at.trust is not None)
    own = {at.warehouse: name for name, at in connections.catalogs.items() if at.kind == polaris.WORD}
    if own:
        names = {
            each.named("polaris") or f"{lakehouse.name}-{name}": name
            for name, each in lakehouse.access.principals.items()
        }
        yield PolarisRequests(partial(target.local.runtime.log, polaris.WORD, _LINES), names, own, redact)


def silent(target: Target) -> list[str]:
    """The layers that keep no record of who did what."""
    catalogs = {each.kind.label for each in target.local.endpoints.catalogs}
    engines = [word for word in ENGINES if word != trino.NAME and getattr(target.lakehouse.engines, word) is not None]
    return [
        STORES[target.local.endpoints.store.service].label,
        *sorted(catalogs - {nessie.NESSIE.label, polaris.POLARIS.label}),
        *(ENGINES[word].label for word in engines),
    ]
