r"""Labels of Graphviz's DOT, in which ``\N`` and ``&lt;`` have a special meaning.

https://graphviz.org/doc/info/lang.html and https://graphviz.org/docs/attr-types/escString/
"""

from __future__ import annotations

from collections.abc import Iterable

from lakehouse.text.terminal import shown

# No numeric entities for the others: Graphviz replaces entities first and then reads the result.
_SPECIAL = str.maketrans({"\\": "\\\\", '"': '\\"', "&": "&amp;"})


def label(lines: Iterable[str]) -> str:
    """One quoted label of the lines, one below the other. Invisible characters appear as their escapes."""
    return '"' + "\\n".join(shown(line).translate(_SPECIAL) for line in lines) + '"'
