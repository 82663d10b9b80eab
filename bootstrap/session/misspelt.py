"""What a name in SQL may have meant: one of those in the file. Trino and Spark say only that it is not there."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from lakehouse.spec import Lakehouse
from lakehouse.text.words import suggest

_TRINO = re.compile(r"(?:Table|View|Schema|Catalog) '([^']+)' (?:does not exist|not found)")
_SPARK = re.compile(r"((?:`[^`]+`\.)*`[^`]+`) cannot be found")


def names(lakehouse: Lakehouse) -> tuple[str, ...]:
    """The catalogs, namespaces, tables and views of the file, each with what it is in before it."""
    return tuple(_names(lakehouse))


def hint(message: str, known: Collection[str]) -> str:
    """`` Did you mean "x"?``, after a point, if the message is about a name that is close to one of these."""
    found = _TRINO.search(message) or _SPARK.search(message)
    if found is None:
        return ""
    asked = found[1].replace("`", "")
    depth = asked.count(".") + 1  # Trino names a schema without its catalog
    near = {".".join(name.split(".")[-depth:]) for name in known if name.count(".") + 1 >= depth}
    meant = "" if asked in near else suggest(asked, sorted(near))
    return f".{meant}" if meant else ""


def _names(lakehouse: Lakehouse) -> Iterator[str]:
    for catalog, entry in lakehouse.catalogs.items():
        yield catalog
        for namespace, space in entry.namespaces.items():
            yield f"{catalog}.{namespace}"
            yield from (f"{catalog}.{namespace}.{each}" for each in (*space.tables, *space.views))
