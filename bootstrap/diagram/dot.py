"""A picture in Graphviz's DOT, which ``dot -Tsvg`` draws.

https://graphviz.org/doc/info/lang.html
"""

from __future__ import annotations

from collections.abc import Iterator

from bootstrap.diagram.picture import Group, Node, Picture
from lakehouse.text.dot import label

_SHAPES = {"box": "box", "store": "cylinder", "person": "ellipse"}


def dot(picture: Picture) -> str:
    """The graph's text; the same picture gives the same text."""
    nodes = {node.id: f"n{nth}" for nth, node in enumerate(picture.root.nodes(), 1)}
    clusters = {group.id: f"cluster_{nth}" for nth, group in enumerate(picture.root.groups(), 1)}
    first = {group.id: next(group.nodes()).id for group in picture.root.groups()}
    lines = [
        "digraph lakehouse {",
        "  graph [rankdir=LR, compound=true];",
        *_group(picture.root, nodes, clusters, "  "),
    ]
    for arrow in picture.arrows:
        # An edge connects nodes; Graphviz can cut it off at the frame of a cluster.
        attributes = [f"label={label([arrow.label])}"] if arrow.label else []
        attributes += [f"ltail={clusters[arrow.source]}"] if arrow.source in clusters else []
        attributes += [f"lhead={clusters[arrow.target]}"] if arrow.target in clusters else []
        ends = " -> ".join(nodes[first.get(end, end)] for end in (arrow.source, arrow.target))
        lines.append(f"  {ends} [{', '.join(attributes)}];" if attributes else f"  {ends};")
    return "\n".join([*lines, "}"]) + "\n"


def _group(group: Group, nodes: dict[str, str], clusters: dict[str, str], indent: str) -> Iterator[str]:
    yield f"{indent}subgraph {clusters[group.id]} {{"
    yield f"{indent}  label={label([group.title])};"
    for child in group.children:
        if isinstance(child, Group):
            yield from _group(child, nodes, clusters, indent + "  ")
        else:
            yield f"{indent}  {_node(child, nodes)}"
    yield f"{indent}}}"


def _node(node: Node, nodes: dict[str, str]) -> str:
    return f"{nodes[node.id]} [label={label(node.lines)}, shape={_SHAPES[node.shape]}];"
