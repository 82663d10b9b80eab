"""A picture as DOT reads back as the same picture, with any text; also with Graphviz itself, if it is installed."""

from __future__ import annotations

import shutil
import subprocess
from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given

from bootstrap.diagram.dot import dot
from bootstrap.diagram.picture import Arrow, Group, Node, Picture
from lakehouse.text.terminal import shown
from tests.unit.bootstrap.diagram.grammar import pictures, plain, read_dot
from tests.unit.lakehouse.text.strategies import HOSTILE

SVG = "{http://www.w3.org/2000/svg}"


@given(pictures())
def test_what_is_read_is_what_was_written(picture: Picture) -> None:
    assert plain(read_dot(dot(picture))) == plain(picture)


def test_an_edge_of_a_group_is_cut_at_its_frame() -> None:
    root = Group("r", "demo", (Group("g", "Engines", (Node("a", ("trino",)),)), Node("b", ("warehouse",), "store")))
    assert "  n1 -> n2 [ltail=cluster_2];\n" in dot(Picture(root, (Arrow("g", "b"),)))
    assert '  n2 -> n1 [label="x", lhead=cluster_2];\n' in dot(Picture(root, (Arrow("b", "g", "x"),)))
    assert "  n1 -> n2;\n" in dot(Picture(root, (Arrow("a", "b"),)))


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_shows_the_texts() -> None:
    said = [each for each in HOSTILE if each.strip()]
    root = Group("r", "demo", tuple(Node(str(nth), (each,)) for nth, each in enumerate(said)))
    done = subprocess.run(["dot", "-Tsvg"], input=dot(Picture(root)).encode(), capture_output=True, check=True)
    found = {
        node.findtext(f"{SVG}title"): node.findtext(f"{SVG}text", "").replace("\xa0", " ")
        for node in Xml.fromstring(done.stdout).iter(f"{SVG}g")
        if node.get("class") == "node"
    }
    assert [found[f"n{nth}"] for nth in range(1, len(said) + 1)] == [shown(each) for each in said]
