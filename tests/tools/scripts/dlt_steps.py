"""dlt: https://dlthub.com/docs/dlt-ecosystem/destinations/iceberg. Arguments: the catalog."""

from __future__ import annotations

import sys
from typing import Any

import dlt
from pyiceberg.catalog import load_catalog
from steps import step

FIRST = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]
SECOND = [{"id": 2, "name": "bb"}, {"id": 3, "name": "c"}]


def run(data: list[dict[str, Any]], how: Any) -> None:
    pipeline = dlt.pipeline("tools", destination="filesystem", dataset_name="by_dlt", pipelines_dir="pipelines")
    keys = {"primary_key": "id"} if how == "merge" else {}
    pipeline.run(dlt.resource(data, name=f"t_{how}", write_disposition=how, table_format="iceberg", **keys))


def again(how: str, data: list[dict[str, Any]], rows: int) -> None:
    run(data, how)
    found = load_catalog(sys.argv[1]).load_table(f"by_dlt.t_{how}").scan().to_arrow().num_rows
    assert found == rows, found


step("append", lambda: run(FIRST, "append"))
step("append again", lambda: again("append", SECOND, 4))
step("merge", lambda: run(FIRST, "merge"))
step("merge again", lambda: again("merge", SECOND, 3))
step("replace", lambda: run(FIRST, "replace"))
step("replace again", lambda: again("replace", SECOND, 2))
step("new column", lambda: again("append", [{"id": 7, "name": "x", "more": 1.5}], 5))
