"""What a stack cannot have beside `lineage`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lakehouse.spec.ports import ports
from lakehouse.spec.problems import SpecError
from tests.unit.lakehouse.kinds.platform.monitored import lakehouse

TO_FILE = {"file": "lineage.jsonl"}
TRINO = {"trino": {"authentication": "password"}}


def refusal(folder: Path, **changes: Any) -> str:
    with pytest.raises(SpecError) as caught:
        lakehouse(folder, False, lineage=TO_FILE, **changes)
    return str(caught.value)


def test_a_stack_may_have_it(tmp_path: Path) -> None:
    without, with_it = (lakehouse(tmp_path, False, **each) for each in ({}, {"lineage": TO_FILE}))
    assert ports(with_it, "local").keys() - ports(without, "local").keys() == {"lineage"}


@pytest.mark.parametrize(
    ("changes", "place", "said"),
    [
        (
            {"runtime": "hosts", "inventory": {"hosts": {"a": {"address": "10.0.0.1"}}}},
            "stacks.local.lineage",
            "runs only with `runtime: process or docker`. Remove it",
        ),
        ({"engines": {}}, "stacks.local.lineage", "no engine is in the file, so there is no lineage. Add spark or"),
        (
            {"engines": TRINO, "secure": True, "catalogs": {"lake": "rest"}, "store": "seaweedfs"},
            "stacks.local.lineage",
            "the stack is `secure`, and what joins the lineage of engines cannot be",
        ),
        (
            {"engines": {"spark": {"properties": {"spark.extraListeners": "my.Listener"}}}},
            'engines.spark.properties."spark.extraListeners"',
            '"my.Listener" would replace what stacks.local.lineage sets. Remove it here or there',
        ),
        (
            {"engines": {"spark": {"properties": {"spark.openlineage.transport.type": "kafka"}}}},
            'engines.spark.properties."spark.openlineage.transport.type"',
            '"kafka" would replace',
        ),
        (
            {"engines": {"trino": {"properties": {"event-listener.config-files": "/etc/mine"}}}},
            'engines.trino.properties."event-listener.config-files"',
            '"/etc/mine" would replace',
        ),
    ],
)
def test_what_could_not_work_is_refused(tmp_path: Path, changes: dict[str, Any], place: str, said: str) -> None:
    message = refusal(tmp_path, **changes)
    assert place in message
    assert said in message
