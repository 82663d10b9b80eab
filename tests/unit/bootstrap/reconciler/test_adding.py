"""`import --write` adds lines and changes no other line."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bootstrap.reconciler.adding import add_to, added
from lakehouse.errors import UsageError
from lakehouse.spec import load

ENTRY = {"columns": {"id": {"type": "long", "doc": "a: b # c"}, "on": "string"}}


def data(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


@pytest.mark.parametrize(
    "text",
    [
        "c:\n  lake:\n    location: s3://a/b  # why\n\n# the end\nz: 'q'\n",
        "c:\n  lake:\n    namespaces:\n\n# the end\nz: 1\n",
        "c:\n  lake:\n    namespaces: # nothing yet\nz: 1\n",
        "c:\n  lake:\n    namespaces: null\n    x: 1\n",
        "c:\n  lake:\n    namespaces: {}\n",
        "c:\n    lake:\n        namespaces:\n            b:   # of others\n"
        "            a: {tables: {u: {columns: {i: int}}}}\n"
        "    # behind\n",
        "c: {lake: {namespaces: {a: {tables: {u: {columns: {i: int}}, }}}}}\n",
        "c: {lake: {namespaces: {a: }, z: 1}}\n",
        "c:\n  lake: {namespaces: {a: {tables: {\n    u: {columns: {i: int}} # the last\n  }}}}\n",
        "c:\n  lake:\n    namespaces:\n      a:\n        doc: |\n          several\n          lines\n\nz: 1\n",
        "c:\r\n  lake:\r\n    namespaces:\r\n      b: {}\r\n\r\nz: 1\r\n",
        "\ufeffc:\n  lake:\n    namespaces:\n      b:   \n        tables:\n"
        "          z: &z {columns: {i: int}}\n          y: *z",
        'c:\n  "lake":\n    namespaces:\n      b:\n        tables: {"t t": {columns: {i: "int"}}}\n',
        "c:\n  lake:\n    list:\n    - 1\n    - 2 # two\n# end",
        "c:\n  lake: {}\n...\n",
    ],
)  # fmt: skip
def test_other_lines_stay(text: str) -> None:
    new = {"c": {"lake": {"namespaces": {"a": {"tables": {"t": ENTRY}}, "n": {}}, "tags": {"q": {"from": "main"}}}}}
    after = added(text, new, "f")
    before = data(text.removeprefix("\ufeff"))
    lake = before["c"]["lake"]
    spaces = lake["namespaces"] = lake.get("namespaces") or {}
    inner = spaces["a"] = spaces.get("a") or {}
    inner["tables"] = {**(inner.get("tables") or {}), "t": ENTRY}
    spaces.setdefault("n", {})
    lake["tags"] = {"q": {"from": "main"}}
    assert data(after.removeprefix("\ufeff")) == before
    lost = [line for line in difflib.ndiff(text.splitlines(), after.splitlines()) if line.startswith("- ")]
    if "{" not in text and "null" not in text:
        assert not lost
    assert len(lost) <= 1, "one line holds the braces that take the entries"
    assert ("\r\n" in text) == ("\r\n" in after)
    assert "\n" not in after.replace("\r\n", "") or "\r\n" not in text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x: &x {namespaces: {}}\nc: {lake: *x}\n", "f:2: `lake` is an alias"),
        ("x: &x {namespaces: {}}\nc:\n  lake:\n    <<: *x\n", "f:4: a merge key"),
    ],
)
def test_other_lines_are_not_changed(text: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        added(text, {"c": {"lake": {"namespaces": {"a": {}}}}}, "f")
    assert str(caught.value).startswith(why)


def test_a_file_keeps_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "lakehouse.yaml"
    file.write_text(
        "name: a # 'x'\nbuckets: {w: {}, }\ncatalogs:\n  lake: {location: s3://w3w/l}\n"
        "stacks: {local: {runtime: process, store: s3proxy, catalogs: {lake: nessie}}}\n".replace("w: ", "w3w: ")
    )
    file.chmod(0o640)
    tables = {"t": {"columns": {"i": "int"}}}
    add_to(file, {"catalogs": {"lake": {"namespaces": {"a": {"tables": tables}}, "tags": {"q": {}}}}})
    assert file.stat().st_mode & 0o777 == 0o640
    assert "name: a # 'x'\nbuckets: {w3w: {}, }\n" in file.read_text()
    assert [each.name for each in tmp_path.iterdir()] == ["lakehouse.yaml"]


def test_what_an_engine_cannot_carry_is_no_reason_to_add_nothing(tmp_path: Path) -> None:
    file = tmp_path / "lakehouse.yaml"
    text = (Path(__file__).parents[4] / "lakehouse.yaml").read_text()
    file.write_text(text.replace("open: double", "open: time", 1))
    add_to(file, {"catalogs": {"lake": {"tags": {"q1": {"from": "main"}}}}})
    assert "q1" in load(file, engines=False).catalogs["lake"].tags
