r"""Labels of Graphviz's DOT, in which ``\N`` and ``&lt;`` mean more than themselves.

https://graphviz.org/doc/info/lang.html and https://graphviz.org/docs/attr-types/escString/
"""

from __future__ import annotations

from collections.abc import Iterable

from lakehouse.text.terminal import shown

# No numeric entity for the others: Graphviz reads entities first, and then what they stand for.
_SPECIAL = str.maketrans({"\\": "\\\\", '"': '\\"', "&": "&amp;"})


def label(lines: Iterable[str]) -> str:
    """The lines as one quoted label, one below the other; an invisible character appears as its escape."""
    return '"' + "\\n".join(shown(line).translate(_SPECIAL) for line in lines) + '"'
