"""Grafana's form of the dashboard asks what the other asks."""

from __future__ import annotations

from pathlib import Path

from tests.unit.lakehouse.kinds.platform.monitored import PIPELINES, built, content


def test_it_asks_what_the_other_dashboard_asks(tmp_path: Path) -> None:
    service = built(tmp_path, pipelines=PIPELINES, catalogs={"lake": "rest"})["victoria-metrics"]
    own, made = content(service, "dashboards/lakehouse.json"), content(service, "grafana.json")
    rows = [each["title"] for each in made["panels"] if each["type"] == "row"]
    assert rows == [each["title"] for each in own["rows"]]
    asked = [target["expr"] for panel in made["panels"] for target in panel.get("targets", ())]
    assert asked == [each for row in own["rows"] for panel in row["panels"] for each in panel["expr"]]


def test_panels_are_beside_each_other_and_have_numbers_of_their_own(tmp_path: Path) -> None:
    made = content(built(tmp_path)["victoria-metrics"], "grafana.json")["panels"]
    assert len({each["id"] for each in made}) == len(made)
    cells = [
        (x, y)
        for each in made
        for x in range(each["gridPos"]["x"], each["gridPos"]["x"] + each["gridPos"]["w"])
        for y in range(each["gridPos"]["y"], each["gridPos"]["y"] + each["gridPos"]["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) == 23


def test_nothing_in_it_is_a_reference_of_terraform(tmp_path: Path) -> None:
    assert "${" not in str(content(built(tmp_path)["victoria-metrics"], "grafana.json"))
