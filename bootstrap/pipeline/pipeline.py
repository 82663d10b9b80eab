"""The pipeline itself: look, compare, carry out. The start is recorded, so that an interrupted apply continues."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bootstrap.pipeline.guard import losses
from bootstrap.pipeline.looked import Looked, comes_up, from_json, infrastructure, wanted
from bootstrap.pipeline.steps import PipelineStep, Runner, run
from bootstrap.pipeline.summary import summary
from bootstrap.remote.errors import StalePlan
from bootstrap.session.synthesised import Synthesised, read
from lakehouse import toolkit
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.packages import terraform

SUMMARY = "summary.md"
_BIN = Path(sys.executable).parent
#: 0: nothing, 2: changes, in both terraform and lakehouse.
_EITHER = frozenset({0, 2})

CHECKS = tuple(
    PipelineStep(f"checks: {name}", ("make", name)) for name in ("lint", "types", "lint-workflows", "scan", "unit")
)


@dataclass(frozen=True)
class Pipeline:
    """One stack of a lakehouse.yaml, worked on in the folder of its cdktf.json."""

    folder: Path
    stack: str
    contents: Any  # the part of the file that is not infrastructure, as JSON
    runner: Runner
    checks: Runner  # runs the checks of the sources, in the project's own folder
    allow_destroy: bool = False  # the stack's key to deletion

    @property
    def notes(self) -> Path:
        """Where the plan, its summary and the progress of an apply are kept."""
        return self.folder / ".pipeline" / self.stack

    def plan(self, *, check: bool) -> Looked:
        """Checks the sources, looks, and records the result for a reviewer."""
        for step in CHECKS if check else ():
            run(step, self.checks)
        looked = self.look()
        self._write("plan.json", looked.to_json())
        (self.notes / SUMMARY).write_text(summary(looked))
        print(f"\n{self.stack}: digest {looked.digest}\n{self.notes / SUMMARY} says what an apply would do.")
        return looked

    def apply(self, approved: str | None) -> int:
        """Carry out exactly what was planned, or the plan with the digest ``approved``. Returns 0.

        Raises StalePlan if something else would be done now, StepFailed if a step fails: the next apply of the
        same plan goes on with that step.
        """
        planned = self.planned()
        digest = approved or (planned.digest if planned else "")
        if not digest:
            raise UsageError(f"{self.stack} has no plan. `make pipeline-plan STACK={self.stack}` makes one")
        begun: dict[str, str] | None = self._noted("begun.json", dict)
        if begun is not None and begun.get("digest") == digest:
            print("An apply of this plan was interrupted: it continues.")
            if self._wanted(self._synthesised()) != begun["wanted"]:
                raise StalePlan(f"the plan of {self.stack} is stale: the sources have changed. Plan again")
            self._guard(self._terraform()[0])
        else:
            looked = self.look()
            if looked.digest != digest:
                why = f": {planned.differs(looked)}" if planned and planned.digest == digest else ""
                raise StalePlan(f"the plan of {self.stack} is stale{why}. Plan again, and have the new plan reviewed")
            self._write("begun.json", {"digest": digest, "wanted": looked.wanted})
        for step in self._steps():  # each does only what is left to do
            run(step, self.runner)
        for name in ("begun.json", "plan.json"):  # a plan is carried out once
            (self.notes / name).unlink(missing_ok=True)
        print(f"{self.stack} matches the file.")
        return 0

    def drift(self) -> int:
        """Checks whether anything differs from the file; returns 0: nothing, 2: something."""
        looked = self.look(guard=False)
        found = run(self._lakehouse("drift", "contents: lakehouse drift", fine=_EITHER), self.runner)
        for address, action in looked.infrastructure:
            print(f"drift: {address} ({action})")
        return 2 if looked.infrastructure or found.code else 0

    def look(self, *, guard: bool = True) -> Looked:
        """What a deploy and the bootstrap would do now.

        Raises LakehouseError if that is not known, if the file asks for something impossible, or, with ``guard``, if
        data would be deleted without both keys.
        """
        stack = self._synthesised()
        plan, text = self._terraform()
        if guard:
            self._guard(plan)
        changes = tuple(infrastructure(plan))
        step = self._lakehouse("plan", "contents: lakehouse plan", "--json", fine=frozenset({0, 1, 2}), loud=False)
        ran = run(step, self.runner)
        try:
            contents = json.loads(ran.output)
        except ValueError:
            if not comes_up(changes):
                raise LakehouseError(f"the contents of {self.stack} cannot be planned: {ran.errors.strip()}") from None
            contents = None  # what is not up yet cannot be checked
        if ran.code == 1 and contents is not None:
            refused = "\n".join(f"{each['address']}: {each['message']}" for each in contents["refused"])
            raise LakehouseError(f"the file asks for changes that are not possible:\n{refused}")
        counts = json.dumps(contents["counts"]) if contents else ran.errors.strip()
        return Looked(
            stack=self.stack,
            wanted=self._wanted(stack),
            infrastructure=changes,
            contents=contents["digest"] if contents else None,
            changes=len(contents["steps"]) if contents else 0,
            text=f"{text.strip()}\n\nContents: {counts}\n{_contents(contents)}".strip(),
        )

    def _synthesised(self) -> Synthesised:
        """Synthesise the stack from the present sources, and show what a deploy would change."""
        run(PipelineStep("infrastructure: cdktf diff", (str(_BIN / "cdktf"), "diff", self.stack)), self.runner)
        stacks = read(self.folder / "cdktf.out")
        if self.stack not in stacks:
            raise UsageError(f'the file has no stack "{self.stack}"; it has {", ".join(stacks)}.')
        return stacks[self.stack]

    def _wanted(self, stack: Synthesised) -> str:
        here = {
            str(self.folder): "<project>",
            str(toolkit.root()): "<toolkit>",
            sys.prefix: "<python>",
            sys.executable: "<python>/bin/python",
            str(Path.home()): "<home>",
        }
        return wanted(stack, self.contents, here)

    def _terraform(self) -> tuple[dict[str, Any], str]:
        """The plan that `cdktf diff` left in the stack's folder, for programs and for people."""
        program = terraform.find(os.environ) or "terraform"  # as bin/cdktf finds it
        at = f"-chdir={self.folder / 'cdktf.out' / 'stacks' / self.stack}"
        shown = []
        for form in ("-json", "-no-color"):
            step = PipelineStep("infrastructure: terraform show", (program, at, "show", form, "plan"), loud=False)
            shown.append(run(step, self.runner).output)
        return json.loads(shown[0]), shown[1]

    def _guard(self, plan: dict[str, Any]) -> None:
        if lost := list(losses(plan, allow_destroy=self.allow_destroy)):
            addresses = "\n".join(f"  {address}" for address in lost)
            raise LakehouseError(
                f"a deploy of {self.stack} would delete resources that hold data, without both keys:\n{addresses}\n"
                "This happens if an entry left the file or was renamed. Put it back; or, to delete it with "
                f"its data, first deploy it with `deletable: true` and stacks.{self.stack} with `allow_destroy: true`"
            )

    def _steps(self) -> tuple[PipelineStep, ...]:
        deploy = (str(_BIN / "cdktf"), "deploy", self.stack, "--auto-approve")
        return (
            PipelineStep("deploy: cdktf deploy", deploy),
            self._lakehouse("apply", "bootstrap: lakehouse apply"),
            self._lakehouse("plan", "bootstrap: nothing is left to do"),
            self._lakehouse("verify", "verify: lakehouse verify"),
        )

    def _lakehouse(
        self, word: str, name: str, *more: str, fine: frozenset[int] = frozenset({0}), loud: bool = True
    ) -> PipelineStep:
        return PipelineStep(name, (str(_BIN / "lakehouse"), "--stack", self.stack, word, *more), fine, loud)

    def planned(self) -> Looked | None:
        """The recorded plan, if there is one."""
        found: Looked | None = self._noted("plan.json", from_json)
        return found

    def _noted(self, name: str, read_as: Callable[[Any], Any]) -> Any:
        path = self.notes / name
        if not path.exists():
            return None
        try:
            return read_as(json.loads(path.read_text()))
        except (ValueError, KeyError, TypeError):
            raise UsageError(f"{path} is damaged. Remove it, and plan again") from None

    def _write(self, name: str, content: Any) -> None:
        self.notes.mkdir(parents=True, exist_ok=True)
        (self.notes / name).write_text(json.dumps(content, indent=1) + "\n")


def _contents(plan: Any) -> str:
    if not plan:
        return ""
    return "\n".join(
        " ".join(word for key in ("op", "kind", "catalog", "name") if (word := step["change"][key]))
        for step in plan["steps"]
    )
