"""A kind of catalog that no registry has: its server comes after a one-shot job, such as one that makes a schema."""

from __future__ import annotations

from lakehouse.kinds.catalog import CatalogEndpoint, CatalogKind, job_name
from lakehouse.kinds.catalogs import nessie
from lakehouse.services.service import File, Place, Port, Probe, Service
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.kinds import Limits, Listener
from lakehouse.text.placeholders import Secret

WORD = "pretended"


def services(place: Place, at: CatalogEndpoint, entry: KindEntry) -> tuple[Service, ...]:
    """A job that uses a secret, and the server that waits for it and keeps its image's entry point."""
    name, image = at.service, f"nessie-{nessie.VERSION}"
    job = Service(
        name=job_name(name, "schema"),
        image=image,
        packages=(),
        command=("/bin/sh", "-c", "test -s password"),
        files=(File("password", Secret(f"{name}-password")),),
        probe=Probe("end", patience=20),
        memory_mb=9000,
        needs=(at.store.service,),
    )
    server = Service(
        name=name,
        image=image,
        packages=(),
        command=("/bin/sh", "serve"),
        ports=(Port(name, place.port(name)),),
        probe=Probe("tcp", place.port(name)),
        keeps_entrypoint=True,
        needs=(at.store.service, job.name),
    )
    return (job, server)


PRETENDED = CatalogKind(
    word=WORD,
    label="Pretended",
    listeners=(Listener(WORD, 17001, 17001),),
    can=Limits("pretended"),
    services=services,
    for_spark=nessie.for_spark,
    for_trino=nessie.for_trino,
    for_pyiceberg=nessie.for_pyiceberg,
)
