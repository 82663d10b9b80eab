"""Who may do what by `access` of lakehouse.yaml, computed slowly and plainly, to compare with the compiler."""

from __future__ import annotations

from lakehouse.spec import Lakehouse

_ORDER = ["read", "write", "manage"]


def may(lakehouse: Lakehouse, principal: str, verb: str, catalog: str, namespace: str, table: str = "") -> bool:
    """Whether a principal has a verb, or one that includes it, on a namespace or table, or on something around it."""
    around = [catalog, f"{catalog}.{namespace}", *([f"{catalog}.{namespace}.{table}"] if table else [])]
    for role in lakehouse.access.principals[principal].roles:
        for target, verbs in lakehouse.access.roles[role].grants.items():
            if not isinstance(verbs, list):
                continue  # nothing in AWS applies a filter or mask, so such a grant gives nothing
            if target in around and any(_ORDER.index(each) >= _ORDER.index(verb) for each in verbs):
                return True
    return False


def sees(lakehouse: Lakehouse, principal: str, catalog: str, namespace: str) -> bool:
    """Whether a principal may see a namespace: because of a verb on it, or on a table in it."""
    tables = lakehouse.catalogs[catalog].namespaces[namespace].tables
    return may(lakehouse, principal, "read", catalog, namespace) or any(
        may(lakehouse, principal, "read", catalog, namespace, table) for table in tables
    )
