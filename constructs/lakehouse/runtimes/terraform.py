"""What the runtimes of a local stack have in common as Terraform sees them."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from lakehouse.cdk import Construct, TerraformResource, local_exec
from lakehouse.runtimes import definitions, owner
from lakehouse.runtimes.incarnation import Incarnation, digest
from lakehouse.runtimes.local import Local


class LocalRuntime(Construct):
    """The services of a local stack as resources, by name, and what runs when they are ready."""

    def __init__(self, scope: Construct, name: str, local: Local, incarnations: Mapping[str, Incarnation]) -> None:
        super().__init__(scope, name)
        self.local = local
        self.incarnations = incarnations
        self.services: dict[str, TerraformResource] = {}

    @property
    def everything(self) -> str:
        """A digest that changes when any service is to be started, or the state folder to be marked."""
        named = {each: str(incarnation) for each, incarnation in self.incarnations.items()}
        return digest({**named, owner.MARK: self.local.claim.owner.id})

    def after(self, name: str, *, module: str, arguments: Sequence[str], needs: Sequence[str], contents: str) -> None:
        """A resource that runs ``python -m MODULE`` once the services it needs are ready.

        It is run again when ``contents`` (a digest) or the incarnation of a service it needs changes.
        """
        local_exec(
            self,
            name,
            trigger=digest([contents, *(str(self.incarnations[need]) for need in needs)]),
            up=shlex.join([sys.executable, "-m", module, *arguments]),
            needs=[self.services[need] for need in needs],
        )

    def write(self, folder: Path) -> None:
        """Writes what the steps read into the folder of the synthesised stack."""
        definitions.write(folder, self.local.services, self.incarnations)
        owner.write_claim(folder, self.local.claim)
