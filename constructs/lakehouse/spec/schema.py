"""The JSON Schema of lakehouse.yaml, with which editors complete and check it.

``python -m lakehouse.spec.schema [FILE]`` writes it. A test fails if the written schema is stale.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from lakehouse.spec.model import Lakehouse

FILE = "lakehouse.schema.json"
# Classes with a short form in the file: text for a column, an empty value for "all defaults".
_OR_TEXT = ("Column", "ViewColumn")
_ON_OR_OFF = ("Compact", "ExpireSnapshots", "RemoveOrphans")
_OR_NOTHING = (
    "Bucket",
    "Namespace",
    "Role",
    "Principal",
    "Access",
    "Engines",
    "Spark",
    "Trino",
    *_ON_OR_OFF,
    "Source",
    "Reference",
)


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of every file that ``load`` accepts, short forms included."""
    whole = Lakehouse.model_json_schema()
    definitions = whole["$defs"]
    for name in _OR_TEXT:
        definitions[name] = {"anyOf": [definitions[name]["properties"]["type"], definitions[name]]}
    for name in _OR_NOTHING:
        definitions[name] = {"anyOf": [definitions[name], {"type": "null"}]}
    keys = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "lakehouse.yaml"}
    return {**keys, **{key: value for key, value in whole.items() if key != "title"}}


def text() -> str:
    """The schema as text, as it is in the file."""
    return json.dumps(schema(), indent=2) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else FILE).write_text(text())
