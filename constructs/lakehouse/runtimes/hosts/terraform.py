"""Services on other machines as Terraform resources: ``terraform_data`` with local-exec, which needs no provider."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from lakehouse.cdk import Construct, TerraformResource, local_exec
from lakehouse.runtimes.generations import Planned
from lakehouse.runtimes.hosts import incarnation
from lakehouse.runtimes.hosts.place import STACK, HostsPlace
from lakehouse.runtimes.hosts.runtime import Hosts
from lakehouse.runtimes.incarnation import Because, digest, silent
from lakehouse.runtimes.local import Local
from lakehouse.runtimes.terraform import LocalRuntime, planned_for


class HostsRuntime(LocalRuntime):
    """Preflight, then the hosts, then the services in the order of their needs."""

    steps = "lakehouse.runtimes.hosts"

    def __init__(
        self, scope: Construct, name: str, local: Local, because: Callable[[Planned], Because] = lambda _: silent
    ) -> None:
        planned = planned_for(local)
        assert isinstance(local.runtime, Hosts)
        assert isinstance(local.place, HostsPlace)
        self._place, seen = local.place, local.runtime.seen()
        found = incarnation.look(local.everything, local.state, local.place, seen, planned, because(planned))
        super().__init__(scope, name, local, found, planned)
        self._seen = seen
        self._hosts = incarnation.hosts(local.everything, local.state, local.place, seen, local.clients)
        everything = digest([self.everything, {name: str(each) for name, each in self._hosts.items()}])
        home = ("--home", str(local.place.home.absolute()))
        # A host whose set-up was interrupted is tainted for Terraform, which runs no `down` for it. This is never
        # tainted, because it does nothing before a destroy, and is destroyed last.
        cleared = local_exec(self, "hosts", trigger="", up="true", down=self._step("clear", *home))
        preflight = local_exec(
            self, "preflight", trigger=everything, up=self._step("preflight"), needs=[cleared], made_first=True
        )
        hosts: dict[str, TerraformResource] = {}
        for host in local.place.hosts:
            hosts[host] = local_exec(
                self,
                f"host-{host}",
                trigger=str(self._hosts[host]),
                up=self._step("host-up", host),
                down=self._step("host-down", host, *home),
                needs=[preflight],
                made_first=True,
            )
        for each in local.everything:
            self.services[each.name] = local_exec(
                self,
                each.name,
                trigger=str(self.incarnations[each.name]),
                up=self._step("up", each.name),
                down=self._step("down", each.name),
                needs=[hosts[local.place.on(each.name)], *(self.services[need] for need in each.needs)],
                made_first=True,
            )

    def unfit(self) -> Sequence[str]:
        assert isinstance(self.local.runtime, Hosts)
        return self.local.runtime.unfit(self._seen, self.local.clients)

    def write(self, folder: Path) -> None:
        super().write(folder)
        place = self._place
        content = {
            "id": place.layout.id,
            "hosts": {name: each.model_dump(mode="json") for name, each in place.hosts.items()},
            "place": place.placement.model_dump(mode="json"),
            "store": place.store,
            "harden": list(place.harden),
            "mirror": place.mirror,
            "home": str(place.home.absolute()),
            "incarnations": {name: str(each) for name, each in self._hosts.items()},
            "clients": [str(each) for each in self.local.clients],
        }
        (folder / STACK).write_text(json.dumps(content, indent=1))
