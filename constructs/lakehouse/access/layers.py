"""What each layer of a stack enforces of `access`, and what it does not: the second table of `lakehouse access`.

A layer says it in its kind; see :class:`lakehouse.spec.kinds.Enforcement`.
"""

from __future__ import annotations

from dataclasses import dataclass

from lakehouse.spec import AwsStack, Lakehouse, LocalStack
from lakehouse.spec.kinds import CatalogRules, Enforcement, EngineRules, KindRules, StoreRules, known

_NO_USERS = Enforcement("that only the services have keys for files", "grants: no principal has keys")
_USERS = Enforcement(
    "the files of each principal's grants, by a user of its own", "rows and columns: a file is read as a whole"
)
_NOBODY_ASKED = Enforcement("nothing", "who a client is: anybody on its network changes names and metadata of tables")
_NO_FILTERS = "filters and masks: a table with them is closed"


@dataclass(frozen=True)
class EnforcementLayer:
    """A layer of a stack: what it enforces, and what it leaves open."""

    layer: str
    enforces: str
    leaves: str


def layers(lakehouse: Lakehouse, stack: str) -> list[EnforcementLayer]:
    """The layers of one of the lakehouse's stacks: its store, its catalogs and the engines of the file."""
    definition = lakehouse.stacks[stack]
    if isinstance(definition, AwsStack):
        return _in_aws(definition)
    return [
        _row(
            f"store ({known().stores[definition.store.kind].label})", _of_store(known().stores[definition.store.kind])
        ),
        *_of_catalogs(definition),
        *(
            _row(kind.label, _of_engine(kind, lakehouse, definition))
            for word, kind in known().engines.items()
            if getattr(lakehouse.engines, word) is not None
        ),
    ]


def _of_store(kind: StoreRules) -> Enforcement:
    return kind.guard or (_USERS if kind.users else _NO_USERS)


def _of_catalogs(stack: LocalStack) -> list[EnforcementLayer]:
    found = []
    for name, entry in stack.catalogs.items():
        kind: CatalogRules = known().catalogs[entry.kind]
        asking = kind.asking if stack.secure is not None else None
        guard = asking.guard if asking else _closed(kind, stack) or kind.guard or _NOBODY_ASKED
        found.append(_row(f"catalog {name} ({kind.label})", guard))
    return found


def _closed(kind: KindRules, stack: LocalStack) -> Enforcement | None:
    return kind.closed if stack.secure is not None else None


def _of_engine(kind: EngineRules, lakehouse: Lakehouse, stack: LocalStack) -> Enforcement:
    if (closed := _closed(kind, stack)) is not None:
        return closed
    ways = "; ".join(each.why for each in kind.openings(lakehouse))
    return Enforcement("nothing", ways) if ways or kind.guard is None else kind.guard


def _in_aws(stack: AwsStack) -> list[EnforcementLayer]:
    where = "S3 Tables" if stack.store_has_tables else "Glue and S3"
    found = [EnforcementLayer("IAM", f"each principal's role: its tables in {where}, and their files", _NO_FILTERS)]
    if stack.engines == "managed":
        runs = "that a query or job runs with the principal's role, in its own workgroup or application"
        return [*found, EnforcementLayer("Athena, EMR Serverless", runs, "")]
    return [*found, EnforcementLayer("Spark and Trino on EC2", "nothing", "grants: they have a role for all tables")]


def _row(layer: str, guard: Enforcement) -> EnforcementLayer:
    return EnforcementLayer(layer, guard.enforces, guard.leaves)
