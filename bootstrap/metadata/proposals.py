"""DataHub's metadata change proposals, as its file sink writes them, with what lakehouse.yaml adds. Pure.

A proposal replaces one aspect of one entity:
https://docs.datahub.com/docs/metadata-modeling/metadata-model and, for each aspect, the entity's page of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bootstrap.ingest.load import LOADED_FROM
from lakehouse.spec.model import Catalog, Table
from lakehouse.spec.pipelines import PipelineEntry
from lakehouse.text.openlineage import PLATFORM

Proposal = dict[str, Any]

_ACTOR = "urn:li:corpuser:lakehouse"
_SYSTEMS = {"postgresql": "postgres", "mysql": "mysql"}  # of JDBC -> DataHub's platforms
# A field's path, as DataHub writes it for nested types: [version=2.0].[type=struct].[type=string].email
_PATH_TYPES = re.compile(r"\[[^\]]*\]\.?")


@dataclass(frozen=True)
class Urns:
    """How tables are named in DataHub: its environment, and what comes before the catalog's name."""

    environment: str = "PROD"
    instance: str | None = None

    def prefix(self, catalog: str) -> str:
        """DataHub's platform instance of a catalog."""
        return f"{self.instance}.{catalog}" if self.instance else catalog

    def table(self, catalog: str, name: str) -> str:
        """The URN of a table; ``name`` is that in its catalog."""
        return self._dataset(PLATFORM, f"{self.prefix(catalog)}.{name}")

    def upstream(self, text: str) -> str:
        """The URN of what rows come from: a table of the file's, or an address ``SYSTEM://NAME``."""
        system, scheme, name = text.partition("://")
        if not scheme:
            catalog, _, rest = text.partition(".")
            return self.table(catalog, rest)
        return self._dataset(system, name.rstrip("/"))

    def _dataset(self, platform: str, name: str) -> str:
        # These characters structure a URN: https://docs.datahub.com/docs/what/urn
        return f"urn:li:dataset:(urn:li:dataPlatform:{platform},{_escaped(name)},{self.environment})"


def _escaped(name: str) -> str:
    return name.translate({ord(each): quote(each) for each in ",()"})


def enriched(
    proposals: Sequence[Proposal],
    name: str,
    catalog: Catalog,
    naming: Urns,
    now: int,
    pipelines: Iterable[PipelineEntry] = (),
) -> tuple[list[Proposal], list[str]]:
    """The proposals with what the file adds to a catalog's tables, and the file's tables that none is about.

    ``now`` is the time of the lineage, in milliseconds since 1970. ``pipelines`` are those of the file.
    """
    flows = [(each.table, source) for each in pipelines if each.catalog == name for source in _flows_from(each)]
    about = {each["entityUrn"] for each in proposals}
    tables = {
        naming.table(name, f"{namespace}.{table}"): (f"{namespace}.{table}", table_of, content.owners)
        for namespace, content in catalog.namespaces.items()
        for table, table_of in content.tables.items()
    }
    found = [
        _with_tags(each, tables[each["entityUrn"]][1]) if each["entityUrn"] in tables else each for each in proposals
    ]
    loaded = {each["entityUrn"]: _loaded_from(each) for each in proposals if each["aspectName"] == "datasetProperties"}
    for urn in sorted(about):
        if urn in tables:
            short, table, owners = tables[urn]
            found += _of_file(urn, table, table.owners or owners)
            seeds = [f"file://{table.seed}"] if table.seed else []
            flowing = [source for to, source in flows if to == short]
            sources = [*table.upstreams, *seeds, *flowing, *loaded.get(urn, ())]
        else:
            sources = list(loaded.get(urn, ()))
        if sources:
            upstreams = sorted({naming.upstream(each) for each in sources})
            found.append(_lineage(urn, upstreams, now))
    return found, sorted(f"{name}.{short}" for urn, (short, _, _) in tables.items() if urn not in about)


def removed(former: Iterable[str], now: Collection[str]) -> Iterator[Proposal]:
    """Proposals that hide tables that were published and are gone. DataHub keeps what it knows of them."""
    for urn in sorted(set(former) - set(now)):
        yield _proposal(urn, "status", {"removed": True})


def published(proposals: Iterable[Proposal]) -> list[str]:
    """The tables that the proposals are about."""
    return sorted({each["entityUrn"] for each in proposals if each["entityType"] == "dataset"})


def _of_file(urn: str, table: Table, owners: Sequence[str]) -> Iterator[Proposal]:
    if owners:
        value = [{"owner": _owner(each), "type": "TECHNICAL_OWNER"} for each in owners]
        yield _proposal(urn, "ownership", {"owners": value, "lastModified": {"time": 0, "actor": _ACTOR}})
    if table.tags:
        yield _proposal(urn, "globalTags", _tags(table.tags))


def _with_tags(proposal: Proposal, table: Table) -> Proposal:
    """A table's schema with the tags of its columns."""
    tagged = {name: column.tags for name, column in table.columns.items() if column.tags}
    if proposal["aspectName"] != "schemaMetadata" or not tagged:
        return proposal
    schema = proposal["aspect"]["json"]
    fields = [_tagged(field, tagged.get(_PATH_TYPES.sub("", field["fieldPath"]))) for field in schema["fields"]]
    return {**proposal, "aspect": {"json": {**schema, "fields": fields}}}


def _tagged(field: Mapping[str, Any], tags: Sequence[str] | None) -> dict[str, Any]:
    return {**field, "globalTags": _tags(tags)} if tags else dict(field)


def _loaded_from(properties: Proposal) -> list[str]:
    """The places that `lakehouse ingest` noted in a table's properties."""
    said: Mapping[str, str] = properties["aspect"]["json"].get("customProperties", {})
    return [each if "://" in each else f"file://{each}" for each in said.get(LOADED_FROM, "").split()]


def _flows_from(pipeline: PipelineEntry) -> Iterator[str]:
    """What a pipeline reads, as `upstreams` would name it: of a query or a job of the user's, nobody knows it, and
    DataHub has no platform for HTTP.
    """
    source = pipeline.source
    if source.topic is not None:
        yield f"kafka://{source.topic}"
    elif source.postgres is not None:
        yield f"postgres://{source.postgres.database}.{source.postgres.table}"
    elif source.mysql is not None:
        yield f"mysql://{source.mysql.table}"
    elif source.jdbc is not None and source.jdbc.whole_table is not None:
        yield f"{_SYSTEMS[source.jdbc.system]}://{source.jdbc.whole_table}"
    elif source.files is not None:
        yield source.files.path if "://" in source.files.path else f"file://{source.files.path}"


def _lineage(urn: str, upstreams: Sequence[str], now: int) -> Proposal:
    stamp = {"time": now, "actor": _ACTOR}
    return _proposal(
        urn,
        "upstreamLineage",
        {"upstreams": [{"dataset": each, "type": "TRANSFORMED", "auditStamp": stamp} for each in upstreams]},
    )


def _owner(text: str) -> str:
    kind = "corpGroup" if text.startswith("group:") else "corpuser"
    return f"urn:li:{kind}:{text.removeprefix('group:')}"


def _tags(names: Sequence[str]) -> dict[str, Any]:
    return {"tags": [{"tag": f"urn:li:tag:{each}"} for each in names]}


def _proposal(urn: str, aspect: str, value: Mapping[str, Any]) -> Proposal:
    return {
        "entityType": "dataset",
        "entityUrn": urn,
        "changeType": "UPSERT",
        "aspectName": aspect,
        "aspect": {"json": dict(value)},
    }
