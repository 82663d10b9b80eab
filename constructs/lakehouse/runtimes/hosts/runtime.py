"""The runtime of hosts for commands: over SSH, one connection for each host and question."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from ipaddress import IPv4Network
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import certificates, disk, owner, renewal
from lakehouse.runtimes.findings import Check, CheckContext, Finding, PortHolder, error, ok, warning
from lakehouse.runtimes.generations import Planned
from lakehouse.runtimes.hosts import fit, remembered
from lakehouse.runtimes.hosts import seen as looks
from lakehouse.runtimes.hosts.incarnation import wanted
from lakehouse.runtimes.hosts.place import HostsPlace
from lakehouse.runtimes.hosts.seen import ON_HOST, Seen, UnitSeen
from lakehouse.runtimes.hosts.ssh import HostError, Ssh
from lakehouse.runtimes.incarnation import recorded
from lakehouse.runtimes.runtime import Process
from lakehouse.runtimes.state import State, write_private
from lakehouse.services.service import Drain, File, Port, Service
from lakehouse.text.placeholders import filled, written

UNREACHABLE = "UNREACHABLE"  # the state of a service on a host that does not answer


@dataclass(frozen=True)
class Hosts:
    """A :class:`lakehouse.runtimes.runtime.Runtime`: systemd units on other machines."""

    state: State
    place: HostsPlace
    services: tuple[Service, ...]
    hosts: Mapping[str, Ssh]

    def seen(self) -> Seen:
        """What runs on the hosts. None is asked if no deploy has set up any."""
        return looks.look(self.hosts, self.place, self.services) if remembered.names(self.state) else Seen()

    def of_host(self, name: str) -> list[Service]:
        """The services that the file places on a host."""
        return [each for each in self.services if self.place.on(each.name) == name]

    def unfit(self, seen: Seen, clients: Sequence[IPv4Network]) -> list[str]:
        """What would make a deploy fail, of the hosts that were ``seen`` and, by asking them, of new ones; and which of
        them would not let this machine in.

        It keeps nothing: the keys of new hosts are taken by a deploy, whose state folder may not be there yet.
        """
        new = [name for name in self.hosts if name not in {*seen.hosts, *seen.down}]
        with TemporaryDirectory() as folder:
            known = Path(folder) / "known_hosts"
            reached = {name: replace(self.hosts[name], known_hosts=known) for name in new}
            asked = looks.look(reached, self.place, self.services)
        found = {name: each.facts for name, each in {**seen.hosts, **asked.hosts}.items()}
        closed = [fit.closed(name, each, self.place.hosts.values(), clients) for name, each in found.items()]
        return [*map(str, asked.down.values()), *self.misfits(found), *filter(None, closed)]

    def misfits(self, facts: Mapping[str, fit.HostFacts]) -> Iterator[str]:
        """What would make a deploy fail on hosts of which these facts are known, as sentences."""
        yield from fit.doubled(facts)
        for name, each in facts.items():
            yield from fit.others(name, self.place.layout, each, self.state, self.place.hosts[name])
            yield from fit.problems(name, each, self.of_host(name))

    def processes(self) -> Mapping[str, Process]:
        there = self.seen()
        found = {name: _process(name, each) for name, each in there.units.items()}
        for each in self.services:
            if (host := self.place.on(each.name)) in there.down:
                found.setdefault(each.name, Process(each.name, UNREACHABLE, 0, 0, f"host {host} does not answer"))
        return found

    def healthy(self) -> Mapping[str, bool]:
        there = self.seen().units
        return {each.name: each.name in there and there[each.name].ready for each in self.services}

    def memory(self) -> Mapping[str, int]:
        return {name: each.memory for name, each in self.seen().units.items() if each.memory}

    def restart(self, service: Service) -> float:
        unit, ssh = self._unit_seen(service), self._ssh(service.name)
        if unit is None:
            raise LakehouseError(f"{service.name} is not installed on host {ssh.name}. `lakehouse deploy` does that.")
        if unit.ready:
            self.empty(service.name, ssh)
        self._systemctl(service.name, "restart")
        return self.await_ready(service)

    def await_ready(self, service: Service) -> float:
        """Wait until a service answers on its host. Returns the seconds that it took.

        Raises LakehouseError if it does not, with its state and the end of its log.
        """
        began, ssh = time.monotonic(), self._ssh(service.name)
        patience = service.probe.patience
        asked = {
            "do": "wait",
            "unit": self._unit(service.name),
            "patience": patience,
            **looks.asked(service, self.place),
        }
        unit = ssh.python(ON_HOST, asked, timeout=patience + 60)
        waited = time.monotonic() - began
        if unit["ready"]:
            return waited
        log = "\n".join(f"    {line}" for line in self.log(service.name, 15).splitlines())
        ended = f", and ended {unit['restarts']} times" if unit["restarts"] else ""
        raise LakehouseError(
            f"{service.name} is not ready on host {ssh.name}: {service.probe} did not answer within {waited:.0f} s, "
            f"and its unit is {unit['ActiveState']} ({unit['SubState']}){ended}.\nThe end of its log:\n{log}"
        )

    def answers(self, service: Service) -> bool:
        """Whether a service runs on its host, and is ready. Raises HostError if the host does not answer."""
        unit = self._unit_seen(service)
        return unit is not None and unit.ready

    def well(self, service: Service) -> bool:
        """Whether a service runs as it was installed, and is ready. Raises HostError if its host does not answer."""
        unit = self._unit_seen(service)
        return unit is not None and unit.well

    def empty(self, service: str, ssh: Ssh) -> None:
        """Drain a service on a host, if it can be, as it runs there. If its work does not end in time, that is said."""
        drain = remembered.drain(self.state, service)
        if drain is None:
            return
        unit = looks.look({ssh.name: ssh}, self.place, self.services).units.get(service)
        if unit is None or not unit.pid:
            return
        asked = {"do": "drain", "pid": unit.pid, **self._drain(service, drain)}
        if not ssh.python(ON_HOST, asked, timeout=drain.patience + 60)["empty"]:
            print(f"{service} on {ssh.name} was not drained: what runs on it fails, or is run again elsewhere.")

    def fill(self, service: str, ssh: Ssh) -> None:
        """Take back that a service was drained, if it can be and is still the one that was."""
        drain = remembered.drain(self.state, service)
        if drain is not None and drain.undo:
            with suppress(HostError):
                ssh.python(ON_HOST, {"do": "fill", **self._drain(service, drain)})

    def _drain(self, service: str, drain: Drain) -> dict[str, Any]:
        """What a host needs to know to drain a service, by standard input: it may have a password."""
        trust = f"{self.place.config(service)}/{drain.trust}" if drain.trust else ""
        return asdict(drain) | {"trust": trust, "shows": filled(drain.shows, self.state.secret)}

    def log(self, name: str, lines: int) -> str:
        return self._ssh(name).run(
            "journalctl", "--no-pager", "-q", "-o", "cat", "-n", str(lines), "-u", self._unit(name)
        )

    def further_logs(self) -> Sequence[str]:
        return ()

    def follow(self, name: str) -> Iterator[str]:
        command = self._ssh(name).command("journalctl", "-q", "-o", "cat", "-n", "0", "-f", "-u", self._unit(name))
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                yield from process.stdout
            finally:
                process.terminate()

    def configure(self, service: str, files: Iterable[File]) -> None:
        user, ssh = self.place.layout.user, self._ssh(service)
        for each in files:
            path = f"{self.place.config(service)}/{each.path}"
            content = written(each.text, self.state.secret)
            # By standard input: an argument is seen by everybody there.
            ssh.run("install", "-m", "0600", "-o", user, "-g", user, "/dev/stdin", path, given=content)
            write_private(self.state.config(service) / each.path, content)  # last: what is here is also there

    def signal(self, service: str, name: str) -> None:
        self._systemctl(service, "kill", f"--signal={name}", "--kill-whom=main")

    def run(
        self, service: str, command: Sequence[str], environment: Mapping[str, str], *, split: bool = False
    ) -> subprocess.Popen[str]:
        settings = [f"{key}={value}" for key, value in environment.items()]
        words = ("runuser", "-u", self.place.layout.user, "--", "env", "-C", self.place.config(service), *settings)
        # One stream already there: SSH carries two, and which of them comes first here is chance.
        joined = () if split else ("sh", "-c", 'exec "$@" 2>&1', "sh")
        return subprocess.Popen(
            self._ssh(service).command(*joined, *words, *command), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if split else subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip

    def changed(self, planned: Planned) -> Sequence[str]:
        there = self.seen().units
        asked = [each for each in self.services if each.name in there]
        return [
            each.name for each in asked if recorded(self.state, each.name).digest != wanted(each, self.place, planned)
        ]

    @property
    def apart(self) -> bool:
        return True

    @property
    def remote(self) -> bool:
        return True

    def edited(self) -> Sequence[str]:
        return [name for name, each in self.seen().units.items() if each.edited or each.missing]

    def unreachable(self) -> Sequence[str]:
        return ()

    def resolves(self, host: str) -> bool | None:
        for ssh in self.hosts.values():
            try:
                return bool(ssh.run("getent", "hosts", host).strip())
            except HostError:
                continue
        return None

    def starved(self, service: str) -> bool:
        unit = self.seen().units.get(service)
        return unit is not None and unit.result == "oom-kill"

    def holders(self, wanted: Mapping[str, Sequence[Port]]) -> Sequence[PortHolder]:
        found: list[PortHolder] = []
        for name, ssh in self.hosts.items():
            own = {service: ports for service, ports in wanted.items() if self.place.on(service) == name}
            numbers = {service: [port.number for port in ports] for service, ports in own.items()}
            if not own:
                continue
            with suppress(HostError):  # another check says that it does not answer
                there = ssh.python(ON_HOST, {"do": "taken", "prefix": self.place.layout.prefix, "ports": numbers})
                for port, taken in fit.taken_ports(there, (port for ports in own.values() for port in ports)):
                    found.append(PortHolder(port.name, port.number, f"on {name}, {taken}"))
        return found

    def checks(self, context: CheckContext) -> Iterator[Check]:
        for name, ssh in self.hosts.items():
            yield Check(f"host {name}", partial(self._answers, ssh))
        if certificates.wanted(self.services):
            yield Check("certificates on hosts", self._renewed)

    def remains(self) -> str:
        names = ", ".join(f"{name} on {each.host}" for name, each in self.seen().units.items())
        return f"units {names}" if names else ""

    def folders(self) -> Sequence[Path]:
        return (self.state.root,)  # the data is on the disks of the hosts

    def closed(self) -> str:
        return ""

    def background(self) -> str:
        return ""

    def volumes(self) -> Sequence[str]:
        return [f"{name}:{self.place.layout.data}" for name, size in self._sizes().items() if size]

    def remove_data(self) -> int:
        sizes, remove = self._sizes(), ("rm", "-rf", "--one-file-system", "--", self.place.layout.data)
        self._each(lambda ssh: ssh.name in sizes and ssh.run(*remove, timeout=600))
        return sum(sizes.values())

    def _sizes(self) -> dict[str, int]:
        """The bytes of data on each host, but for those where a stack of that name is another lakehouse's."""
        own = owner.read(self.state.root)
        asked = {"do": "size", "data": self.place.layout.data}
        found = self._each(lambda ssh: ssh.python(ON_HOST, asked, timeout=600))
        mine = ("", own.id if own else "")
        return {name: each["bytes"] for name, each in found.items() if each["owner"].partition(" ")[0] in mine}

    def facts(self, ssh: Ssh) -> dict[str, Any]:
        """Memory, room, what a host lacks, its clock, whose the stack is there, and ports that others have.

        Raises HostError if it does not answer.
        """
        layout = self.place.layout
        ports = looks.ports(ssh.name, self.place, self.services)
        asked = {"do": "facts", "data": layout.data, "prefix": layout.prefix, "ports": ports}
        began = time.time()
        return fit.timed(ssh.python(ON_HOST, asked), began)

    def _answers(self, ssh: Ssh) -> Finding:
        try:
            found = self.facts(ssh)
        except HostError as problem:
            return error(f"{ssh.name} does not answer", str(problem), "start it, or correct its entry in `hosts`")
        if found["lacks"]:
            return error(f"{ssh.name} lacks {', '.join(found['lacks'])}", "services need that", "install it there")
        if clock := fit.wrong_clock(found):
            why = "signed requests, tokens and certificates hold for a time"
            return error(f"{ssh.name}: {clock}", why, "set one of the two, as by `timedatectl set-ntp true`")
        full = disk.finding(
            fit.room(found),
            f"free disk space there (`lakehouse maintain` removes old snapshots){disk.again(self.of_host(ssh.name))}",
        )
        if full.severity != "ok":
            return replace(full, found=f"{ssh.name}: {full.found}")
        return ok(f"{ssh.name}: {found['memory_mb']} MiB of memory, {found['free_mb']} MB free")

    def _renewed(self) -> Finding:
        """Whether each host has the certificates that this machine has: one that was down may have former ones."""
        late = [each for each in self.services if renewal.outdated(self.state, each)]
        if not late:
            return ok("each service has the one that was made last")
        names = ", ".join(f"{each.name} on {self.place.on(each.name)}" for each in late)
        fix = "`lakehouse secret renew --restart`, while these hosts answer"
        return warning(f"a former one: {names}", "it ends before the one that this machine has", fix)

    def _each(self, ask: Any) -> dict[str, Any]:
        if not self.state.root.is_dir():
            return {}
        with ThreadPoolExecutor(max(1, len(self.hosts))) as pool:
            return dict(zip(self.hosts, pool.map(ask, self.hosts.values()), strict=True))

    def _unit_seen(self, service: Service) -> UnitSeen | None:
        ssh = self._ssh(service.name)
        there = looks.look({ssh.name: ssh}, self.place, self.services)
        if ssh.name in there.down:
            raise there.down[ssh.name]
        return there.units.get(service.name)

    def _ssh(self, service: str) -> Ssh:
        return self.hosts[self.place.on(service)]

    def _unit(self, service: str) -> str:
        return self.place.layout.unit(service)

    def _systemctl(self, service: str, *words: str) -> None:
        self._ssh(service).run("systemctl", *words, self._unit(service), timeout=120)


def _process(name: str, unit: UnitSeen) -> Process:
    """The unit as a process. Its state is RUNNING if it is active, else the word of systemd."""
    word = "RUNNING" if unit.active == "active" else unit.active.upper()
    return Process(name, word, unit.pid, unit.uptime, f"on {unit.host}")
