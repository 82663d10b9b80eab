"""A monitored stack for the tests of this folder."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from lakehouse.kinds.compose import services
from lakehouse.services.service import Service
from lakehouse.spec import Lakehouse, load
from tests.unit.lakehouse.services.place import PROJECT, Somewhere, as_text, local

PIPELINES = {"minutes": {"from": {"topic": "minutes"}, "to": "lake.bronze.minute_aggs"}}


def lakehouse(folder: Path, monitoring: Any = True, **changes: Any) -> Lakehouse:
    """The default file with ``monitoring`` and further changes of its stack."""
    yaml = YAML()
    content = yaml.load((PROJECT / "lakehouse.yaml").read_text())
    content["engines"] = changes.pop("engines", content["engines"])
    if "pipelines" in changes:
        content["pipelines"] = changes.pop("pipelines")
        changes.setdefault("catalogs", {"lake": "rest"})
    content["stacks"]["local"] |= {"monitoring": monitoring, **changes}
    file = folder / "lakehouse.yaml"
    with file.open("w") as out:
        yaml.dump(content, out)
    return load(file)


def built(folder: Path, monitoring: Any = True, **changes: Any) -> dict[str, Service]:
    """Its services by name."""
    found = lakehouse(folder, monitoring, **changes)
    return {each.name: each for each in services(found, local(found), Somewhere(found))}


def content(service: Service, file: str) -> Any:
    """The JSON of one of its files."""
    return json.loads(text(service, file))


def text(service: Service, file: str) -> str:
    return next(as_text(each.text) for each in service.files if each.path == file)


_WORDS = {
    *("rate", "increase", "avg_over_time", "count_over_time", "quantile_over_time", "histogram_quantile", "absent"),
    *("time", "max", "min_over_time", "delta", "sum", "by", "without", "and", "or"),
    *("job", "status", "quantile", "le", "type", "api", "topic"),  # labels after `by` and `without`
}


def expressions(services: dict[str, Service]) -> list[str]:
    """Every question of the rules and of the dashboard."""
    rows = content(services["victoria-metrics"], "dashboards/lakehouse.json")["rows"]
    panels = [panel for row in rows for panel in row["panels"]]
    return [*(rule["expr"] for rule in rules(services)), *(each for panel in panels for each in panel["expr"])]


def rules(services: dict[str, Service]) -> list[dict[str, Any]]:
    return [rule for group in content(services["vmalert"], "rules.yaml")["groups"] for rule in group["rules"]]


def names(some: Iterable[str]) -> set[str]:
    """The metrics that questions name."""
    bare = (re.sub(r"\{.*?\}|\[.*?\]", "", each) for each in some)
    return {name for each in bare for name in re.findall(r"(?<![\w.])[a-zA-Z_:][\w:]*", each)} - _WORDS
