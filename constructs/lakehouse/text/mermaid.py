"""Labels of Mermaid's flowcharts, whose text is Markdown and HTML, and may contain icons, formulas and directives.

https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from lakehouse.text.terminal import shown

# Between letters a hyphen, an underscore and a dot are text; elsewhere they are Markdown: a list, emphasis, a link.
_PLAIN = re.compile(
    r"(?:[A-Za-z0-9,]|(?<=[A-Za-z0-9,]) (?=[A-Za-z0-9])|(?<=[A-Za-z0-9])[_/-](?=[A-Za-z0-9])|(?<=[0-9])\.(?=[0-9]))+"
)


def label(lines: Iterable[str]) -> str:
    """One quoted label of the lines, one below the other. Invisible characters appear as their escapes."""
    return f'"{"<br/>".join(_escaped(shown(line)) for line in lines)}"'


def _escaped(text: str) -> str:
    """The text with each special character as its number, which Mermaid reads last."""
    pieces, at = [], 0
    for plain in _PLAIN.finditer(text):
        pieces += [*(f"#{ord(each)};" for each in text[at : plain.start()]), plain[0]]
        at = plain.end()
    return "".join([*pieces, *(f"#{ord(each)};" for each in text[at:])])
