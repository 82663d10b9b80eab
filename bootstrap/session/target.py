"""Which lakehouse a command is about: the file, the stack in it, and its parts on this machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from lakehouse import project
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.runtimes import owner
from lakehouse.runtimes.local import Local
from lakehouse.runtimes.locate import locate, runtime
from lakehouse.runtimes.state import folder
from lakehouse.services.service import Address, Port, Service
from lakehouse.spec import AwsStack, Lakehouse, LocalStack, load
from lakehouse.spec.problems import Problem, SpecError
from lakehouse.text.words import for_stack


@dataclass(frozen=True)
class Target:
    """A stack of a lakehouse.yaml."""

    path: Path
    lakehouse: Lakehouse
    stack: str

    @cached_property
    def located(self) -> Local:
        """The same as ``local``, even if the state folder belongs to another lakehouse: for commands that only read.

        Raises UsageError if the stack is in AWS, where nothing of it is on this machine.
        """
        if self.in_aws:
            raise UsageError(
                f"stacks.{self.stack} is in AWS, and this command is about services that run on this machine. "
                "docs/aws.md says what each command does there."
            )
        return locate(self.lakehouse, self.stack, self.path)

    @cached_property
    def local(self) -> Local:
        """The stack's state folder, services and endpoints. Raises LakehouseError if it is another lakehouse's."""
        owner.check(self.located.state, self.located.claim)
        return self.located

    @cached_property
    def unable(self) -> str:
        """Why nothing of the stack can be started or seen from here, as without Docker, and the fix; else empty."""
        stack = self.lakehouse.stacks.get(self.stack)
        return runtime(stack.runtime).failure() if isinstance(stack, LocalStack) else ""

    def advice(self, text: str) -> str:
        """Advice whose commands are about this stack: they name it unless it is the one of commands that name none."""
        return for_stack(text, None if self.stack == _default(self.lakehouse) else self.stack)

    @property
    def in_aws(self) -> bool:
        """Whether the stack is in AWS; then no part of it is on this machine."""
        return isinstance(self.lakehouse.stacks.get(self.stack), AwsStack)

    @property
    def asks_in_trino(self) -> bool:
        """Whether Trino asks for passwords."""
        engine = self.lakehouse.engines.trino
        return engine is not None and engine.authentication is not None

    @property
    def region(self) -> str:
        """The AWS region of a stack in AWS."""
        there = self.lakehouse.stacks[self.stack]
        assert isinstance(there, AwsStack)
        return there.region

    @property
    def secrets(self) -> Path:
        """The folder of the stack's secrets on this machine. Nothing that a set-up fetches is needed to name it."""
        found = self.lakehouse.stacks.get(self.stack)
        if found is None:
            return self.local.state.root / "secrets"  # raises that the file has no such stack
        return folder(self.path, self.stack, found.state if isinstance(found, LocalStack) else None) / "secrets"

    @property
    def published(self) -> Path:
        """A file with the tables that each place got, so that those that are gone can be hidden there."""
        return self.secrets.parent / owner.PUBLISHED

    @property
    def scratch(self) -> Path:
        """A folder for a command's temporary files: below the state folder, whose disk is watched."""
        folder = self.secrets.parent / "tmp"
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # `parents` makes it open to others
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def service(self, name: str) -> Service:
        """The service or job of that name. Raises UsageError that lists the existing ones."""
        for each in self.local.everything:
            if each.name == name:
                return each
        known = ", ".join(each.name for each in self.local.everything)
        raise UsageError(f'No service "{name}" in stack {self.stack} of {self.path.name}; it has: {known}.')

    def address(self, port: str, asked_by: str) -> Address:
        """The address of a named port, once something listens there.

        Clients are slow to notice that nobody answers (Spark Connect retries for minutes), so every command checks
        here first. Raises UsageError if the file has no such service, LakehouseError if it does not answer, or if
        another lakehouse has its port: nobody asks there whose statements these are.
        """
        from lakehouse.runtimes.processes import is_open, refusal

        if port not in self.local.ports:
            raise UsageError(f"{self.path.name} has no {asked_by}: add it to the file and deploy the stack again.")
        found = self.local.place.external(port)
        if not is_open(found.port, found.host):
            raise LakehouseError(
                f"{port} does not answer on {found}. `lakehouse status` shows what runs; "
                f"`lakehouse deploy` brings the stack up.{self._kept_out()}"
            )
        if (held := self._taken(port)) is not None:
            raise LakehouseError(f"{refusal({port: held[1]}, [held[0]], self.stack)} Nothing was sent there.")
        return found

    def _kept_out(self) -> str:
        return (
            f" If it runs, the firewall of its host keeps this machine out: `clients` of stacks.{self.stack} needs the "
            "address by which the hosts see it."
            if self.local.runtime.remote
            else ""
        )

    def _taken(self, port: str) -> tuple[Port, str] | None:
        """A port of the stack, and a sentence that says which other lakehouse has it; None if none is known to."""
        number = self.local.place.external(port).port  # in a container it may have another
        own = [
            (each.name, replace(known, number=number))
            for each in self.local.everything
            for known in each.ports
            if known.name == port
        ]
        for service, known in own:
            for holder in self.local.runtime.holders({service: [known]}):
                # Not every system says whose port it is; then it is the service's own, if that runs.
                unknown = holder.pid is None and service not in self.local.runtime.processes()
                if holder.lakehouse or holder.container or unknown:
                    return known, holder.sentence
        return None


def find(file: Path | None, stack: str | None, *, engines: bool = False) -> Target:
    """The target of a command. ``engines``: a file that an engine does not support is invalid.

    ``file`` defaults to $LAKEHOUSE_FILE, then to the lakehouse.yaml of the working folder or of the nearest one above;
    ``stack`` to the file's only local one, else ``local``. Raises SpecError if the file is invalid or not found.
    """
    try:
        path = project.file(file)
    except project.NoProject as none:
        raise SpecError(none.path, [(None, Problem((), none.rule))]) from None
    lakehouse = load(path, engines=engines)
    return Target(path, lakehouse, stack or _default(lakehouse))


def _default(lakehouse: Lakehouse) -> str:
    """The stack of a command that names none."""
    local = [name for name, each in lakehouse.stacks.items() if isinstance(each, LocalStack)]
    return local[0] if len(local) == 1 else "local"
