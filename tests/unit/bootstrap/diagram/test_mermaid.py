"""A picture as Mermaid reads back as the same picture, with any text."""

from __future__ import annotations

from hypothesis import given

from bootstrap.diagram.mermaid import mermaid
from bootstrap.diagram.picture import Arrow, Group, Node, Picture
from tests.unit.bootstrap.diagram.grammar import pictures, plain, read_mermaid


@given(pictures())
def test_what_is_read_is_what_was_written(picture: Picture) -> None:
    assert plain(read_mermaid(mermaid(picture))) == plain(picture)


def test_as_a_person_reads_it() -> None:
    nodes = (Node("a", ("trino", "476")), Node("b", ("warehouse",), "store"), Node("c", ("bi",), "person"))
    picture = Picture(Group("r", "demo", (Group("g", "Engines", nodes[:1]), *nodes[1:])), (Arrow("g", "b", "files"),))
    assert mermaid(picture) == (
        'flowchart LR\n  subgraph g1["demo"]\n    subgraph g2["Engines"]\n      n1["trino<br/>476"]\n    end\n'
        '    n2[("warehouse")]\n    n3(["bi"])\n  end\n  g2 -->|"files"| n2\n'
    )
