"""The Nessie compiler: what `access` of lakehouse.yaml means as rules of Nessie's authorizer.

https://projectnessie.org/nessie-latest/authorization/. A call is allowed if a rule is true for each of its checks. A
rule is an expression of CEL. It knows ``op``, ``path`` (a name with dots), ``ref``, ``contentType``, and of who calls
``role``, the token's subject, and ``roles``, its groups. Nessie 0.99 does not tell it what a commit changes in a table,
so who may write rows may also change columns.

A grant holds on every branch and tag, and for old states of them. A table that has a filter or mask is closed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from lakehouse.access.grants import VERBS, plain
from lakehouse.spec import Lakehouse, Verb
from lakehouse.spec.access import split
from lakehouse.text.placeholders import Secret, Text

#: The checks of each verb, beside those of the verbs that it includes.
_OPERATIONS: dict[Verb, tuple[str, ...]] = {
    "read": ("READ_CONTENT_KEY", "READ_ENTITY_VALUE"),
    "write": ("UPDATE_ENTITY",),
    "manage": ("CREATE_ENTITY", "DELETE_ENTITY"),
}
_SHOWN = ("VIEW_REFERENCE", "READ_ENTRIES")  # of references and their lists, which show only names that may be read
_COMMIT = "COMMIT_CHANGE_AGAINST_REFERENCE"
# Of an update, Nessie knows the type of what is there, and not of what is put in its place. So nobody writes rows of a
# view or a namespace, but a table may still be replaced by something else.
_ROWS = 'contentType=="ICEBERG_TABLE"'


def nessie_rules(lakehouse: Lakehouse, catalog: str, owner: str) -> Mapping[str, Text]:
    """The rules of a catalog's server, by their names. Tokens of the group ``owner`` may do everything."""
    rules: dict[str, Text] = {"owner": f"{_quoted(owner)} in roles"}
    for principal, member in lakehouse.access.principals.items():
        allowed = _allowed(_targets(lakehouse, catalog, principal)) if member.existing is None else ""
        if allowed:
            who = f'role=={_quoted(principal)} && "'
            rules[f"principal-{principal}"] = (who, group(principal), f'" in roles && ({allowed})')
    return rules


def group(principal: str) -> Secret:
    """The group in a principal's token. Only its rule has it, so with another one, former tokens are worth nothing."""
    return Secret(f"nessie-principal-{principal}")


def _targets(lakehouse: Lakehouse, catalog: str, principal: str) -> dict[Verb, list[list[str]]]:
    """The principal's targets in the catalog by verb: none, a namespace, or a namespace and a name in it."""
    found: dict[Verb, list[list[str]]] = {verb: [] for verb in VERBS}
    for grant in plain(lakehouse, principal):
        of, *path = split(lakehouse, grant.target)
        for verb in VERBS[: VERBS.index(grant.verb) + 1] if of == catalog else ():
            if path not in found[verb]:
                found[verb].append(path)
    return found


def _allowed(targets: Mapping[Verb, list[list[str]]]) -> str:
    """The calls that these targets allow, as an expression; empty if there is none."""
    if not targets["read"]:
        return ""
    found = [_one_of("op", [*_SHOWN, *([_COMMIT] if targets["write"] else [])])]
    found.append(_on(_OPERATIONS["read"], targets["read"], _around(targets["read"])))
    if targets["write"]:
        found.append(f"{_on(_OPERATIONS['write'], targets['write'])} && {_ROWS}")
    if targets["manage"]:
        found.append(_on((*_OPERATIONS["write"], *_OPERATIONS["manage"]), targets["manage"]))
    return " || ".join(f"({each})" for each in found)


def _around(targets: Iterable[list[str]]) -> list[str]:
    """The namespaces around targets, which clients load on their way."""
    levels = (path[0].split(".") for path in targets if path)
    return sorted({".".join(each[:depth]) for each in levels for depth in range(1, len(each) + 1)})


def _on(operations: Iterable[str], targets: Iterable[list[str]], exact: Iterable[str] = ()) -> str:
    some, checked = list(targets), _one_of("op", operations)
    if [] in some:
        return checked
    names = dict.fromkeys((*exact, *(".".join(path) for path in some)))
    inside = (f"path.startsWith({_quoted(f'{path[0]}.')})" for path in some if len(path) == 1)
    return f"{checked} && ({' || '.join((_one_of('path', names), *inside))})"


def _one_of(variable: str, names: Iterable[str]) -> str:
    return f"{variable} in [{', '.join(map(_quoted, names))}]"


def _quoted(name: str) -> str:
    """A string of CEL. Names of the file are of ASCII, so JSON writes them in the same way."""
    return json.dumps(name)
