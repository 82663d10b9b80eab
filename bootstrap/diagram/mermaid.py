"""A picture as a Mermaid flowchart, which GitHub draws in a block that begins with ```mermaid.

https://mermaid.js.org/syntax/flowchart.html
"""

from __future__ import annotations

from collections.abc import Iterator

from bootstrap.diagram.picture import Group, Node, Picture
from lakehouse.text.mermaid import label

_AROUND = {"box": ("[", "]"), "store": ("[(", ")]"), "person": ("([", "])")}


def mermaid(picture: Picture) -> str:
    """The flowchart's text; the same picture gives the same text."""
    ids = {node.id: f"n{nth}" for nth, node in enumerate(picture.root.nodes(), 1)}
    ids |= {group.id: f"g{nth}" for nth, group in enumerate(picture.root.groups(), 1)}
    lines = ["flowchart LR", *_group(picture.root, ids, "  ")]
    for arrow in picture.arrows:
        said = f"|{label([arrow.label])}|" if arrow.label else ""
        lines.append(f"  {ids[arrow.source]} -->{said} {ids[arrow.target]}")
    return "\n".join(lines) + "\n"


def _group(group: Group, ids: dict[str, str], indent: str) -> Iterator[str]:
    yield f"{indent}subgraph {ids[group.id]}[{label([group.title])}]"
    for child in group.children:
        if isinstance(child, Group):
            yield from _group(child, ids, indent + "  ")
        else:
            yield f"{indent}  {_node(child, ids)}"
    yield f"{indent}end"


def _node(node: Node, ids: dict[str, str]) -> str:
    opened, closed = _AROUND[node.shape]
    return f"{ids[node.id]}{opened}{label(node.lines)}{closed}"
