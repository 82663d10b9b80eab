"""Services as Terraform resources: ``terraform_data`` with local-exec, so no provider plugin is needed."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from lakehouse.cdk import Construct, TerraformResource, local_exec
from lakehouse.runtimes.process.incarnation import Incarnation, digest
from lakehouse.runtimes.process.state import State
from lakehouse.services.service import Service

_STEPS = "lakehouse.runtimes.process"


class ProcessRuntime(Construct):
    """Preflight, then the supervisor, then the services in the order of their needs, then what runs ``after``.

    ``after`` is the command of the last resource (the bootstrap); it is run again when ``contents`` (a digest) or the
    incarnation of a service it needs changes.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        state: State,
        services: Sequence[Service],
        incarnations: Mapping[str, Incarnation],
        supervisor: Incarnation,
    ) -> None:
        super().__init__(scope, name)
        self._state = state
        self._incarnations = incarnations
        everything = digest({each: str(incarnation) for each, incarnation in incarnations.items()})
        self.preflight = local_exec(self, "preflight", trigger=everything, up=self._step("preflight"))
        self.supervisor = local_exec(
            self,
            "supervisor",
            trigger=str(supervisor),
            up=self._step("supervisor-up", "--generation", str(supervisor.generation)),
            down=self._step("supervisor-down"),
            needs=[self.preflight],
        )
        self.services: dict[str, TerraformResource] = {}
        for each in services:
            self.services[each.name] = local_exec(
                self,
                each.name,
                trigger=str(incarnations[each.name]),
                up=self._step("up", each.name),
                down=self._step("down", each.name),
                needs=[self.supervisor, *(self.services[need] for need in each.needs)],
            )

    def after(self, name: str, *, module: str, arguments: Sequence[str], needs: Sequence[str], contents: str) -> None:
        """A resource that runs ``python -m MODULE`` once the services it needs are ready."""
        local_exec(
            self,
            name,
            trigger=digest([contents, *(str(self._incarnations[need]) for need in needs)]),
            up=shlex.join([sys.executable, "-m", module, *arguments]),
            needs=[self.services[need] for need in needs],
        )

    def _step(self, *words: str) -> str:
        return shlex.join([sys.executable, "-m", _STEPS, *words, "--state", str(Path(self._state.root))])
