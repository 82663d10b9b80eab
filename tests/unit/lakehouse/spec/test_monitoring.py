"""The entry `monitoring`: a word or a mapping, and what a stack cannot have beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lakehouse.spec import LocalStack, load
from lakehouse.spec.monitoring import Monitoring
from lakehouse.spec.ports import ports
from lakehouse.spec.problems import SpecError
from tests.unit.lakehouse.kinds.platform.monitored import lakehouse


def entry(folder: Path, monitoring: Any) -> Monitoring | None:
    stack = lakehouse(folder, monitoring).stacks["local"]
    assert isinstance(stack, LocalStack)
    return stack.monitoring


def test_it_is_a_word_or_a_mapping(tmp_path: Path) -> None:
    assert entry(tmp_path, False) is None
    assert entry(tmp_path, True) == Monitoring()
    found = entry(tmp_path, {"webhook": "hook.url", "slack": "slack.url"})
    assert found is not None
    assert found.receivers == {"webhook": "hook.url", "slack": "slack.url"}


@pytest.mark.parametrize(
    ("monitoring", "said"),
    [
        ("yes please", '"yes please" should be true, false or a mapping'),
        ({"webhook": "https://hooks.example/secret"}, "looks like the address itself"),
        ({"keep": 3}, 'Did you mean "keep_days"?'),
        ({"interval_seconds": 0}, "interval_seconds"),
        ({"rules": "https://rules.example/all.yaml"}, "is not a file of rules"),
        ({"rules": "alerts.json"}, "as in alerts.yaml"),
        ({"thresholds": {"querry_seconds": 1}}, 'Did you mean "query_seconds"?'),
        ({"thresholds": {"health": 0}}, "health"),
        ({"thresholds": {"query_seconds": 0}}, "query_seconds"),
    ],
)
def test_what_is_wrong_is_said_and_no_address_is_repeated(tmp_path: Path, monitoring: Any, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        lakehouse(tmp_path, monitoring)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value).replace("which is a secret", "")


def test_other_ports_keep_their_numbers(tmp_path: Path) -> None:
    without, with_it = (ports(lakehouse(tmp_path, each), "local") for each in (False, True))
    assert with_it | without == with_it
    assert with_it.keys() - without.keys() == {
        *("victoria-metrics", "vmalert", "alertmanager", "node-exporter", "lakehouse-metrics")
    }


def test_the_file_is_written_as_it_was(tmp_path: Path) -> None:
    stack = lakehouse(tmp_path, {"webhook": "hook.url"}).stacks["local"]
    assert stack.model_dump()["monitoring"] == {"webhook": "hook.url"}
    assert load(tmp_path / "lakehouse.yaml").stacks["local"] == stack
