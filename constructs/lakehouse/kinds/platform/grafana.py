"""The same dashboard for Grafana, to import there: Grafana itself is in no registry that every machine reaches.

https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_SCHEMA = 39  # of Grafana 10.4 and later, which all read it
_UNITS = {"": "short", "s": "s", "B": "bytes", "%": "percent"}
_COLUMNS, _HEIGHT = 24, 8
_SOURCE = {"type": "prometheus", "uid": "$source"}  # the user chooses it in the dashboard


def dashboard(own: Mapping[str, Any]) -> dict[str, Any]:
    """Grafana's form of a dashboard of :mod:`lakehouse.kinds.platform.dashboards`."""
    return {
        "uid": "lakehouse",
        "title": own["title"],
        "schemaVersion": _SCHEMA,
        "editable": True,
        "tags": ["lakehouse"],
        "timezone": "browser",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [{"name": "source", "label": "Metrics", "type": "datasource", "query": "prometheus"}]},
        "panels": list(_panels(own["rows"])),
    }


def _panels(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    number, y = 0, 0
    for row in rows:
        number += 1
        place = {"h": 1, "w": _COLUMNS, "x": 0, "y": y}
        yield {"id": number, "type": "row", "title": row["title"], "collapsed": False, "gridPos": place, "panels": []}
        y, x = y + 1, 0
        for panel in row["panels"]:
            width = 2 * panel["width"]
            if x + width > _COLUMNS:
                x, y = 0, y + _HEIGHT
            number += 1
            yield _panel(number, panel, {"h": _HEIGHT, "w": width, "x": x, "y": y})
            x += width
        y += _HEIGHT


def _panel(number: int, panel: Mapping[str, Any], place: Mapping[str, int]) -> dict[str, Any]:
    aliases = panel.get("alias", ["__auto"] * len(panel["expr"]))
    return {
        "id": number,
        "type": "timeseries",
        "title": panel["title"],
        "gridPos": dict(place),
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": {"unit": _UNITS[panel["unit"]]}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}},
        "targets": [
            {"refId": chr(ord("A") + n), "datasource": _SOURCE, "expr": expression, "legendFormat": alias}
            for n, (expression, alias) in enumerate(zip(panel["expr"], aliases, strict=True))
        ],
    }
