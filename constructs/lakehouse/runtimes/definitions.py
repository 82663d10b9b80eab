"""Services as JSON beside the synthesised stack, so that a deploy applies what was planned even if the file changes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lakehouse.runtimes.incarnation import Incarnation
from lakehouse.services.service import Drain, File, Numbers, Port, Probe, Service
from lakehouse.text import placeholders
from lakehouse.text.placeholders import Secret

FILE = "services.json"


def write(folder: Path, services: Iterable[Service], incarnations: Mapping[str, Incarnation]) -> None:
    """Write services.json into the folder of the synthesised stack. It has placeholders instead of secrets."""
    content = [{"service": asdict(each), "incarnation": asdict(incarnations[each.name])} for each in services]
    (folder / FILE).write_text(json.dumps(content, indent=1))


def read(path: Path) -> dict[str, tuple[Service, Incarnation]]:
    """The services that :func:`write` wrote, by name."""
    content = json.loads(path.read_text())
    return {each["service"]["name"]: (service(each["service"]), Incarnation(**each["incarnation"])) for each in content}


def service(raw: dict[str, Any]) -> Service:
    """The service from the JSON of :func:`dataclasses.asdict`."""
    lists = ("packages", "command", "data", "needs", "restarts_with")
    return Service(
        **raw
        | {key: tuple(raw[key]) for key in lists}
        | {
            "forgets": tuple(raw.get("forgets", ())),
            "leaves": tuple(raw.get("leaves", ())),
            "trial": tuple(raw.get("trial", ())),
            "environment": tuple((key, value) for key, value in raw["environment"]),
            "files": _files(raw["files"]),
            "ports": tuple(map(_port, raw["ports"])),
            "probe": Probe(**raw["probe"] | {"command": tuple(raw["probe"].get("command", ()))}),
            "drain": drain(raw["drain"]) if raw.get("drain") else None,
            "reading": None if raw["reading"] is None else _files(raw["reading"]),
        }
    )


def drain(raw: dict[str, Any]) -> Drain:
    """How a service is drained, from the JSON of :func:`dataclasses.asdict`."""
    return Drain(**raw | {"shows": placeholders.read(raw.get("shows", ""))})


def _port(raw: dict[str, Any]) -> Port:
    return Port(**raw | {"numbers": tuple(map(_numbers, raw.get("numbers", ())))})


def _numbers(raw: dict[str, Any]) -> Numbers:
    password = raw["password"] and Secret(**raw["password"])
    return Numbers(**raw | {"password": password, "parameters": tuple(map(tuple, raw["parameters"]))})


def _files(raw: Iterable[dict[str, Any]]) -> tuple[File, ...]:
    return tuple(File(each["path"], placeholders.read(each["text"]), each.get("once", False)) for each in raw)
