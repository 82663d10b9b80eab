"""The Terraform resources that all runtimes of a local stack have."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from lakehouse import project
from lakehouse.cdk import Construct, TerraformResource, local_exec
from lakehouse.runtimes import contents, definitions, generations, owner
from lakehouse.runtimes.contents import Compared
from lakehouse.runtimes.generations import Planned
from lakehouse.runtimes.incarnation import NONE, Incarnation, digest
from lakehouse.runtimes.local import Local


def planned_for(local: Local) -> Planned:
    """The plan of credentials. A certificate of the user's that ended, or that is missing, stops no destroy."""
    certificate = None if project.destroying() else local.given
    return generations.plan(local.state, local.everything, local.credentials, certificate)


class LocalRuntime(Construct):
    """The services of a local stack as resources, by name, and the bootstrap that runs when they are ready."""

    steps: ClassVar[str]  # the package that `python -m` runs as a step

    def __init__(
        self, scope: Construct, name: str, local: Local, incarnations: Mapping[str, Incarnation], planned: Planned
    ) -> None:
        super().__init__(scope, name)
        self.local = local
        self.incarnations = incarnations
        self._planned = planned
        self.services: dict[str, TerraformResource] = {}
        self._bootstrap = NONE

    def unfit(self) -> Sequence[str]:
        """What would make a deploy fail on other machines, asked of them. A deploy on this one looks by itself."""
        return ()

    def _step(self, *words: str) -> str:
        return shlex.join([sys.executable, "-m", self.steps, *words, "--state", str(self.local.state.root)])

    @property
    def everything(self) -> str:
        """A digest that changes if any service must be started, or must get a renewed certificate, or the state folder
        must be marked.
        """
        named = {each: str(incarnation) for each, incarnation in self.incarnations.items()}
        if self._planned.generations:
            named["credentials"] = digest(dict(self._planned.generations))
        return digest({**named, owner.MARK: self.local.claim.owner.id})

    @property
    def handed_over(self) -> tuple[str, ...]:
        """The services that get a renewed certificate while they run."""
        return generations.handed_over(self.local.state, self.local.services, self._planned)

    def bootstrap(
        self, arguments: Sequence[str], *, needs: Sequence[str], wanted: str, compared: Compared
    ) -> TerraformResource:
        """A resource that runs ``python -m bootstrap`` when the services that it needs are ready.

        It runs again if ``wanted`` (a digest) or the incarnation of a needed service changes, or if ``compared`` says
        that the contents differ from the file.
        """
        combined = digest([wanted, *(str(self.incarnations[need]) for need in needs)])
        self._bootstrap = contents.propose(self.local.state, combined, compared)
        run = [sys.executable, "-m", contents.NAME, *arguments]
        remember = [sys.executable, "-m", contents.__name__, "--state", str(self.local.state.root)]
        return local_exec(
            self,
            contents.NAME,
            trigger=str(self._bootstrap),
            up=f"{shlex.join(run)} && {shlex.join(remember)}",
            needs=[self.services[need] for need in needs],
        )

    def write(self, folder: Path) -> None:
        """Write the files that the steps read into the folder of the synthesised stack."""
        definitions.write(folder, self.local.everything, self.incarnations)
        generations.write(folder, self._planned)
        owner.write_claim(folder, self.local.claim)
        contents.write(folder, self._bootstrap)
