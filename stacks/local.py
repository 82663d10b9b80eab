"""The lakehouse on this machine."""

from __future__ import annotations

from pathlib import Path

from lakehouse.cdk import Construct, TerraformStack
from lakehouse.runtimes.process import definitions, incarnation
from lakehouse.runtimes.process.local import locate
from lakehouse.runtimes.process.terraform import ProcessRuntime
from lakehouse.spec import Lakehouse


class LocalStack(TerraformStack):
    """Services as processes, and the bootstrap as the last resource."""

    def __init__(self, scope: Construct, name: str, *, lakehouse: Lakehouse, path: Path) -> None:
        super().__init__(scope, name)
        self._name = name
        self._local = local = locate(lakehouse, name, path)
        self._incarnations = incarnation.look(local.services, local.state)
        runtime = ProcessRuntime(
            self,
            "process",
            state=local.state,
            services=local.services,
            incarnations=self._incarnations,
            supervisor=incarnation.look_supervisor(local.state),
        )
        at_work = {local.endpoints.store.service, *(each.service for each in local.endpoints.catalogs)}
        runtime.after(
            "bootstrap",
            module="bootstrap",
            arguments=["--file", str(path), "--stack", name, "apply"],
            needs=sorted(at_work),
            contents=incarnation.digest(lakehouse.model_dump(mode="json", include={"buckets", "catalogs", "access"})),
        )

    def write(self, outdir: Path) -> None:
        """Writes what the stack's steps read beside its cdk.tf.json."""
        definitions.write(outdir / "stacks" / self._name, self._local.services, self._incarnations)
