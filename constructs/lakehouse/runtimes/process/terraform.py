"""Services as Terraform resources: ``terraform_data`` with local-exec, which needs no provider plugin."""

from __future__ import annotations

from collections.abc import Callable

from lakehouse.cdk import Construct, local_exec
from lakehouse.runtimes.generations import Planned
from lakehouse.runtimes.incarnation import Because, silent
from lakehouse.runtimes.local import Local
from lakehouse.runtimes.process import incarnation
from lakehouse.runtimes.terraform import LocalRuntime, planned_for


class ProcessRuntime(LocalRuntime):
    """Preflight, then the supervisor, then the services in the order of their needs.

    Each resource is created before the one that it replaces is destroyed, so a preflight that fails stops nothing.
    """

    steps = "lakehouse.runtimes.process"

    def __init__(
        self, scope: Construct, name: str, local: Local, because: Callable[[Planned], Because] = lambda _: silent
    ) -> None:
        planned = planned_for(local)
        found = incarnation.look(local.everything, local.state, planned, because(planned))
        super().__init__(scope, name, local, found, planned)
        supervised = incarnation.look_supervisor(local.state)
        preflight = local_exec(self, "preflight", trigger=self.everything, up=self._step("preflight"), made_first=True)
        supervisor = local_exec(
            self,
            "supervisor",
            trigger=str(supervised),
            up=self._step("supervisor-up", "--start", supervised.start),
            down=self._step("supervisor-down"),
            needs=[preflight],
            made_first=True,
        )
        for each in local.everything:
            self.services[each.name] = local_exec(
                self,
                each.name,
                trigger=str(self.incarnations[each.name]),
                up=self._step("up", each.name),
                down=None if each.is_job else self._step("down", each.name),
                needs=[supervisor, *(self.services[need] for need in each.needs)],
                made_first=True,
            )
