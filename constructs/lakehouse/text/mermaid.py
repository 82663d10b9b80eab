"""Labels of Mermaid's flowcharts, whose text is Markdown and HTML at once, and may hold icons, formulas and directives.

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
    """The lines as one quoted label, one below the other; an invisible character appears as its escape."""
    return f'"{"<br/>".join(_escaped(shown(line)) for line in lines)}"'


def _escaped(text: str) -> str:
    """Each character that could mean more than itself as its number, which Mermaid reads last."""
    pieces, at = [], 0
    for plain in _PLAIN.finditer(text):
        pieces += [*(f"#{ord(each)};" for each in text[at : plain.start()]), plain[0]]
        at = plain.end()
    return "".join([*pieces, *(f"#{ord(each)};" for each in text[at:])])
