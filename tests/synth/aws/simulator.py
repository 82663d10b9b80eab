"""IAM's decision, written from AWS's documents and not from the compiler: what a request needs, and who may send it.

Glue checks a request against the resource and all its containers. moto checks Glue requests against no resource
and knows no conditions, so this module decides for moto too (see ``enforced.py``).
https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """An action, every resource that it needs a permission for, and the values for conditions."""

    action: str
    resources: tuple[str, ...]
    context: Mapping[str, str] = field(default_factory=dict)


def glue(where: str, action: str, database: str = "", table: str = "") -> Request:
    """A request to Glue; ``where`` is ``arn:aws:glue:REGION:ACCOUNT``."""
    needs = [f"{where}:catalog"]
    if action in ("GetCatalog", "GetDatabases"):
        return Request(f"glue:{action}", tuple(needs))
    needs.append(f"{where}:database/{database}")
    if action == "GetTables":
        needs.append(f"{where}:table/{database}/*")
    elif action == "DeleteDatabase":
        needs += [f"{where}:table/{database}/*", f"{where}:userDefinedFunction/{database}/*"]
    elif table:
        needs.append(f"{where}:table/{database}/{table}")
    return Request(f"glue:{action}", tuple(needs))


def s3(action: str, bucket: str, key: str = "", prefix: str = "") -> Request:
    """A request to S3."""
    resource = f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"
    return Request(f"s3:{action}", (resource,), {"s3:prefix": prefix} if prefix else {})


def allowed(documents: Iterable[Mapping[str, Any]], request: Request) -> bool:
    """Whether policies allow a request: something allows it on every resource, and nothing denies it on any."""
    statements = [each for document in documents for each in document["Statement"]]
    verdicts = []
    for resource in request.resources:
        effects = {each["Effect"] for each in statements if _concerns(each, request, resource)}
        verdicts.append(effects == {"Allow"})
    return all(verdicts)


def _concerns(statement: Mapping[str, Any], request: Request, resource: str) -> bool:
    return (
        any(_like(pattern.lower(), request.action.lower()) for pattern in _many(statement["Action"]))
        and _names(statement, resource)
        and holds(statement.get("Condition", {}), request.context)
    )


def holds(condition: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    """Whether a statement's condition holds: every operator, every key."""
    return all(
        _holds(operator, _many(values), context.get(key))
        for operator, keys in condition.items()
        for key, values in keys.items()
    )


def _names(statement: Mapping[str, Any], resource: str) -> bool:
    if "NotResource" in statement:
        return not any(_like(pattern, resource) for pattern in _many(statement["NotResource"]))
    return any(_like(pattern, resource) for pattern in _many(statement["Resource"]))


def _holds(operator: str, values: list[str], actual: str | None) -> bool:
    if actual is None:
        return False
    if operator == "StringEquals":
        return actual in values
    assert operator in ("StringLike", "ArnLike"), operator
    return any(_like(value, actual) for value in values)


def _like(pattern: str, text: str) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _many(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
