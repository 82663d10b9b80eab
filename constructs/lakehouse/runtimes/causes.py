"""Why each service of a stack would be started again, and which settings of lakehouse.yaml are the cause.

A setting is a cause if the former value of that setting alone would give the service another definition.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import generations, started
from lakehouse.runtimes.generations import Planned
from lakehouse.runtimes.incarnation import NONE, Because, Renewal
from lakehouse.runtimes.locate import locate
from lakehouse.runtimes.reasons import Difference, definitions, sentences
from lakehouse.runtimes.reasons import settings as differing
from lakehouse.runtimes.started import Started
from lakehouse.runtimes.state import State
from lakehouse.services.service import Service
from lakehouse.spec import Lakehouse
from lakehouse.text.later import definition

_MOST = 12  # settings that are tried; each costs a tenth of a second
_NEVER_DEPLOYED = "first start"
_ILL = "it does not run, or does not answer"


def settings(lakehouse: Lakehouse, stack: str) -> dict[str, Any]:
    """The settings that may change a service of the stack, as the file has them."""
    data = lakehouse.model_dump(
        mode="json", exclude_unset=True, exclude={"access": True, "catalogs": {"__all__": {"namespaces"}}}
    )
    return {**data, "stacks": {stack: data["stacks"][stack]}}


@dataclass
class Causes:
    """Finds the reasons during one synth of a stack. ``found`` has those of all services that are started again."""

    lakehouse: Lakehouse
    stack: str
    path: Path
    state: State
    found: dict[str, str] = field(default_factory=dict)
    _composed: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the file as it is now."""
        return settings(self.lakehouse, self.stack)

    def because(self, planned: Planned) -> Because:
        """Finds the reason for which a service is started again, as one line without secrets."""

        def why(service: Service, renewal: Renewal) -> str:
            self.found[service.name] = self._why(planned, service, renewal)
            return self.found[service.name]

        return why

    def _why(self, planned: Planned, service: Service, renewal: Renewal) -> str:
        if renewal.last == NONE:
            return _NEVER_DEPLOYED
        found: list[str] = []
        if renewal.changed:
            former = started.recall(self.state, service.name, renewal.last.digest)
            found += ["its definition has changed"] if former is None else self._changed(former, planned, service)
        elif not renewal.well:
            found.append("the job has not ended" if service.is_job else _ILL)
        found += [f"{name} starts again" for name in renewal.followed if not found]
        return sentences(found)

    def _changed(self, former: Started, planned: Planned, service: Service) -> list[str]:
        now = _plain(definition(service))
        found = [
            f"the credential {name} is replaced"
            for name in generations.used(service)
            if planned.generations.get(name, 0) != former.generations.get(name, 0)
        ]
        parts = [str(each) for each in definitions(former.definition, now)]
        of_file, whole = self._of_file(former, service.name) if parts else ([], False)
        found += [str(each) for each in of_file]
        if not whole:
            found += parts
        return found or ["a file that lakehouse.yaml names, its image or its container has changed"]

    def _of_file(self, former: Started, service: str) -> tuple[list[Difference], bool]:
        """The settings that changed the service's definition, and whether they explain it wholly."""
        present = _plain(self.settings)
        changed = differing(former.settings, present) if former.settings else []
        if not changed or len(changed) > _MOST:
            return [], False
        now = self._definition(present, service)
        found = []
        for path, difference in changed:
            if self._definition(_with(present, {path: difference.old}), service) != now:
                found.append(difference)
        whole = self._definition(_with(present, {path: each.old for path, each in changed}), service)
        return found, bool(found) and whole == former.definition

    def _definition(self, data: Mapping[str, Any], service: str) -> Any:
        """The service's definition in a file with those settings; None if such a file is not valid or has none."""
        key = json.dumps(data, sort_keys=True)
        if key not in self._composed:
            try:
                there = locate(Lakehouse.model_validate(data), self.stack, self.path).everything
            except (LakehouseError, ValueError, KeyError):
                there = ()
            self._composed[key] = {each.name: _plain(definition(each)) for each in there}
        return self._composed[key].get(service)


def _plain(value: Any) -> Any:
    """The value as it is after it was written as JSON."""
    return json.loads(json.dumps(value))


def _with(data: Mapping[str, Any], values: Mapping[tuple[str, ...], Any]) -> dict[str, Any]:
    """A copy of the settings with these values; None removes one."""
    made = deepcopy(dict(data))
    for path, value in values.items():
        place = made
        for key in path[:-1]:
            inner = place.get(key)
            place[key] = place = inner if isinstance(inner, dict) else {}
        if value is None:
            place.pop(path[-1], None)
        else:
            place[path[-1]] = value
    return made
