"""OpenLineage's events, and the names that datasets have in them.

Each engine names one table in its own way. Trino: its own address, and CATALOG.NAMESPACE.TABLE. Spark: the table's
folder, which nobody can know before it is there, with the address of the catalog and NAMESPACE.TABLE as another name
(a symlink). :class:`Joiner` gives both the name that `lakehouse metadata` publishes, and leaves everything else.

https://openlineage.io/docs/spec/object-model and https://openlineage.io/docs/spec/naming
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Self

PATH = "/api/v1/lineage"  # where a server takes events
# As the namespace of a dataset, DataHub reads it as the platform, and takes the name as it is.
PLATFORM = "iceberg"
S3TABLES = "arn:aws:s3tables:"  # begins Spark's namespace of tables that an S3 Tables server has: no folders there
GLUE = "arn:aws:glue:"  # begins Spark's namespace of tables in Glue; region and account follow
_GLUE = "table/"  # begins Spark's name of a table in Glue: table/NAMESPACE/TABLE
_RUNS = 1_000  # that are remembered
# A part of Spark's names: in backquotes if it is more than letters, digits and underscores.
_PART = re.compile(r"`((?:[^`]|``)*)`|([^.`]+)")


@dataclass(frozen=True)
class DatasetName:
    """The name of a dataset in a namespace. Both together are its identity."""

    namespace: str
    name: str


@dataclass(frozen=True)
class DatasetNames:
    """How engines name a lakehouse's tables. The keys of ``spark`` are the namespaces of its symlinks; one that ends
    in a colon is only their beginning.
    """

    trino: str  # the namespace of Trino's datasets
    catalogs: Mapping[str, str]  # catalog -> what begins the published names of its tables
    spark: Mapping[str, Sequence[str]] = field(default_factory=dict)  # namespace -> catalogs that have it
    branches: Mapping[str, Sequence[str]] = field(default_factory=dict)  # Trino's catalog -> a catalog, and its branch

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        """From the JSON of :func:`dataclasses.asdict`."""
        return cls(raw["trino"], raw["catalogs"], raw["spark"], raw["branches"])

    def table(self, catalog: str, name: str) -> DatasetName:
        """The published name of the table NAMESPACE.TABLE of a catalog."""
        return DatasetName(PLATFORM, f"{self.catalogs[catalog]}.{name}")

    def of(self, dataset: Mapping[str, Any]) -> DatasetName | None:
        """The published name of a dataset of an event; None if it is no table of the lakehouse's catalogs."""
        namespace, name = str(dataset.get("namespace", "")), str(dataset.get("name", ""))
        if (namespace and namespace == self.trino) or namespace.startswith(S3TABLES):
            catalog, _, rest = name.partition(".")
            if catalog in self.branches:  # Spark writes a branch behind an @
                catalog, branch = self.branches[catalog]
                rest = rest and f"{rest}@{branch}"
            return self.table(catalog, rest) if catalog in self.catalogs and rest else None
        own = str(_facet(dataset, "catalog").get("name", ""))
        for link in _tables(dataset):
            # Catalogs that share a server have the same address: then only the facet says which one it is. One that
            # is alone there is it, whatever the driver calls it.
            there = self._at(link.namespace)
            found = there[0] if len(there) == 1 else own
            if found in there:
                return self.table(found, _plain(link.name))
        return None

    def _at(self, namespace: str) -> Sequence[str]:
        for each, catalogs in self.spark.items():
            if namespace == each or (each.endswith(":") and namespace.startswith(each)):
                return catalogs
        return ()


@dataclass
class _Run:
    """What earlier events of a run said."""

    known: dict[DatasetName, DatasetName] = field(default_factory=dict)  # an engine's name -> the published one
    failed: bool = False


class Joiner:
    """Gives each event the published names of the lakehouse's tables. Other datasets keep theirs.

    It remembers the latest runs, because Spark's listener needs it: lineage of columns comes in events without the
    datasets that it names, and COMPLETE follows FAIL.
    """

    def __init__(self, names: DatasetNames) -> None:
        self._names = names
        self._runs: OrderedDict[str, _Run] = OrderedDict()
        self._lock = Lock()

    def joined(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The event with these names; FAIL instead of COMPLETE if its run has failed."""
        with self._lock:
            run = self._run(event.get("run", {}).get("runId"))
            # Lineage of columns names a dataset without its symlinks. An input is meant if a table and its branch,
            # which have one folder, are both there.
            for key in ("inputs", "outputs"):
                for each in event.get(key) or ():
                    name, found = _name(each), self._names.of(each)
                    if found is not None and (key == "inputs" or name not in run.known):
                        run.known[name] = found
            run.failed = run.failed or event.get("eventType") == "FAIL"
            result = dict(event)
            for key in ("inputs", "outputs"):
                if event.get(key):
                    result[key] = [_dataset(each, self._names, run.known) for each in event[key]]
            if run.failed and event.get("eventType") == "COMPLETE":
                result["eventType"] = "FAIL"
            return result

    def _run(self, number: str | None) -> _Run:
        if number is None:
            return _Run()
        run = self._runs.pop(number, None) or _Run()
        self._runs[number] = run
        if len(self._runs) > _RUNS:
            self._runs.popitem(last=False)
        return run


def _dataset(dataset: Mapping[str, Any], names: DatasetNames, known: Mapping[DatasetName, DatasetName]) -> Any:
    facets = dict(dataset.get("facets") or {})
    if "columnLineage" in facets:
        facets["columnLineage"] = _renamed(facets["columnLineage"], names, known)
    found = names.of(dataset)
    if found is None:
        return {**dataset, "facets": facets} if facets else dict(dataset)
    # DataHub takes a table among the symlinks for the dataset's name, in Hive. A folder is only another name.
    links = facets.pop("symlinks", None)
    if links is not None and not dataset["namespace"].startswith(S3TABLES):
        folder = {"namespace": dataset["namespace"], "name": dataset["name"], "type": "LOCATION"}
        facets["symlinks"] = {**links, "identifiers": [folder]}
    return {**dataset, "namespace": found.namespace, "name": found.name, "facets": facets}


def _renamed(value: Any, names: DatasetNames, known: Mapping[DatasetName, DatasetName]) -> Any:
    """A facet with lineage of columns, in which each column has the name and namespace of its dataset."""
    if isinstance(value, list):
        return [_renamed(each, names, known) for each in value]
    if not isinstance(value, dict):
        return value
    inner = {key: _renamed(each, names, known) for key, each in value.items()}
    if not isinstance(value.get("namespace"), str) or not isinstance(value.get("name"), str):
        return inner
    found = known.get(_name(value)) or names.of(value)
    return inner if found is None else {**inner, "namespace": found.namespace, "name": found.name}


def _name(dataset: Mapping[str, Any]) -> DatasetName:
    return DatasetName(dataset["namespace"], dataset["name"])


def _facet(dataset: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    facets = dataset.get("facets") or {}
    return facets.get(name) or {}


def _tables(dataset: Mapping[str, Any]) -> Iterator[DatasetName]:
    for each in _facet(dataset, "symlinks").get("identifiers") or ():
        if each.get("type") == "TABLE":
            yield DatasetName(each["namespace"], each["name"])


def _plain(name: str) -> str:
    """A table's name as Spark or Glue writes it, without quotes."""
    if name.startswith(_GLUE):
        return name.removeprefix(_GLUE).replace("/", ".")
    return ".".join(quoted.replace("``", "`") or bare for quoted, bare in _PART.findall(name))
