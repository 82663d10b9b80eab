"""What each tool can do with each kind of catalog: the table of docs/compatibility.md.

test_tools.py tries it. A step that is not named as failing passes: as measured on the kinds in `tried`, as expected on
the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

KINDS = ("nessie", "rest", "hive", "polaris", "glue", "s3tables")
DBT = ("debug", "seed", "run", "test", "snapshot", "seed again", "incremental", "snapshot again", "docs")
OF_VIEWS = ("run", "test", "snapshot", "incremental", "snapshot again")


@dataclass(frozen=True)
class Tool:
    """A tool, its steps, and those that fail, by kind.

    ``why`` says it in the table; ``says`` is in what the tool says of the first of them, which the others may need.
    """

    label: str
    steps: tuple[str, ...]
    fails: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    why: Mapping[str, str] = field(default_factory=dict)
    says: Mapping[str, str] = field(default_factory=dict)
    tried: tuple[str, ...] = KINDS  # where it was measured

    def cell(self, kind: str) -> str:
        if kind not in self.tried:
            return "not tried"
        passed = len(self.steps) - len(self.fails.get(kind, ()))
        why = f": {self.why[kind]}" if kind in self.why else ""
        return f"{passed} of {len(self.steps)}{why}"


_NO_VIEWS = "Trino has no views there"
_NO_PLAN = "`plan` fails, as Trino has no views there; the other steps need it"
_COLUMNS = "CommitStateUnknownException: WebApplicationException: HTTP 400"
_MESH_VIEWS = "(?s)Updating virtual layer .*Execution failed for node"
_SPARK = "Creating a view is not supported by catalog"
_REST_ONLY = "DuckDB cannot reach it"
_DUCKDB = ("schema", "create", "insert", "select", "update", "delete", "drop")
_DLT = ("append", "append again", "merge", "merge again", "replace", "replace again", "new column")
_MESH = ("plan", "run", "plan of another environment", "audit", "fetchdf")
TOOLS: dict[str, Tool] = {
    "pyiceberg": Tool(
        "PyIceberg 0.12",
        (
            *("namespace", "create", "append", "scan", "upsert", "delete", "schema change", "former snapshots"),
            *("rename", "drop"),
        ),
        {"nessie": ("schema change", "former snapshots")},
        {"nessie": "no schema change, no former snapshots"},
        {"nessie": _COLUMNS},
    ),
    "dlt": Tool(
        "dlt 1.31",
        _DLT,
        {"nessie": ("new column",), "s3tables": _DLT},
        {"nessie": "no new column", "s3tables": "the bucket refuses dlt's own files"},
        {"s3tables": "PermissionError.*Forbidden"},
    ),
    "dbt-trino": Tool(
        "dbt-trino 1.10, a project as dbt makes it",
        DBT,
        {"nessie": OF_VIEWS, "s3tables": OF_VIEWS},
        {"nessie": _NO_VIEWS, "s3tables": _NO_VIEWS},
        {"nessie": "createView is not supported for Iceberg Nessie catalogs"},
    ),
    "dbt-trino-tables": Tool("dbt-trino 1.10, with the lines that the profile names", DBT),
    "dbt-spark": Tool(
        "dbt-spark 1.10, by Spark Connect, with the lines that the profile names",
        DBT,
    ),
    "sqlmesh": Tool(
        "SQLMesh 0.236, through Trino",
        _MESH,
        {"nessie": _MESH, "s3tables": _MESH},
        {"nessie": _NO_PLAN, "s3tables": _NO_PLAN},
        {"nessie": _MESH_VIEWS, "s3tables": _MESH_VIEWS},
    ),
    "spark": Tool(
        "Spark Connect, pyspark-client 4.1",
        ("namespace", "createOrReplace", "append", "read", "merge", "schema change", "view", "drop"),
        {"glue": ("view",), "s3tables": ("view",)},
        {"glue": "no views", "s3tables": "no views"},
        {"glue": _SPARK, "s3tables": "does not support endpoint: POST .*/views"},
    ),
    "sqlalchemy": Tool(
        "Trino's SQLAlchemy and DB-API drivers",
        ("schema", "create", "insert", "select", "inspect", "update", "delete", "drop"),
    ),
    "jdbc": Tool("Trino's JDBC driver", ("schema", "create", "prepared insert", "select", "metadata", "drop")),
    "duckdb": Tool(
        "DuckDB 1.5",
        _DUCKDB,
        dict.fromkeys(("hive", "glue", "s3tables"), _DUCKDB),
        dict.fromkeys(("hive", "glue", "s3tables"), _REST_ONLY),
        dict.fromkeys(("hive", "glue", "s3tables"), "DuckDB cannot read"),
    ),
}


def table() -> Iterator[str]:
    """The table as lines of Markdown."""
    yield f"| tool | {' | '.join(KINDS)} |"
    yield "|---" * (len(KINDS) + 1) + "|"
    for tool in TOOLS.values():
        yield f"| {tool.label} | {' | '.join(map(tool.cell, KINDS))} |"
