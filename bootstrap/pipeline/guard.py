"""The changes of a Terraform plan that would delete data: both keys are required here too.

``prevent_destroy`` is part of a resource's block, and disappears with it once the file no longer names the resource. So
what a plan deletes or replaces is compared with what was deployed: the stack's key is in the file, and the second key
is in the resource itself, where the deploy or the bootstrap set it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bootstrap.reconciler.marks import is_deletable


def _forced(before: Mapping[str, Any]) -> bool:
    return before.get("force_destroy") is True


def _marked(before: Mapping[str, Any]) -> bool:
    return is_deletable(before.get("parameters") or {})


def _spared(before: Mapping[str, Any]) -> bool:
    return True


#: Types that hold data, or without which it cannot be read, and whether one was deployed as ``deletable: true``.
_KEPT = {
    "aws_s3_bucket": _forced,
    "aws_s3tables_table_bucket": _forced,
    "aws_glue_catalog_database": _marked,
    "aws_s3tables_namespace": _spared,  # AWS deletes none that has tables
    "aws_kms_key": _spared,  # its block always exists, and says what its data is
}


def losses(plan: Mapping[str, Any], *, allow_destroy: bool) -> Iterator[str]:
    """Addresses of what a plan, as JSON, deletes or replaces without both keys.

    https://developer.hashicorp.com/terraform/internals/json-format#change-representation
    """
    for each in plan.get("resource_changes", ()):
        change = each["change"]
        keyed = _KEPT.get(each["type"])
        if keyed and "delete" in change["actions"] and not (allow_destroy and keyed(change["before"])):
            yield each["address"]
