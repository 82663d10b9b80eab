"""The lakehouse on this machine, or on machines that it reaches by SSH."""

from __future__ import annotations

import json
from pathlib import Path

from lakehouse.cdk import Construct, TerraformStack, local_backend, output, warn
from lakehouse.runtimes import changes, credentials, generations, scheduling, started
from lakehouse.runtimes.causes import Causes
from lakehouse.runtimes.changes import PlannedChanges
from lakehouse.runtimes.contents import Compared, Look
from lakehouse.runtimes.incarnation import digest
from lakehouse.runtimes.locate import locate, runtime
from lakehouse.runtimes.scheduler import Scheduler
from lakehouse.runtimes.state import terraform_state
from lakehouse.spec import Lakehouse
from lakehouse.spec import LocalStack as LocalOptions


class LocalTerraformStack(TerraformStack):
    """Services of a runtime, and the bootstrap as the last resource."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        lakehouse: Lakehouse,
        path: Path,
        look: Look | None = None,
        ask: bool = False,
    ) -> None:
        """``look`` is the comparison of its contents, if it is up. ``ask``: warn of machines that do not fit it."""
        super().__init__(scope, name)
        self._name = name
        self._state = terraform_state(path, name)
        local_backend(self, self._state)
        options = lakehouse.stacks[name]
        assert isinstance(options, LocalOptions)
        local = locate(lakehouse, name, path)
        lasting = generations.lasting(local.state, local.everything, local.credentials)
        for each in (*lasting, *credentials.unusable(credentials.known(local.everything))):
            warn(self, each)
        self._causes = Causes(lakehouse, name, path, local.state)
        self._runtime = runtime(options.runtime).terraform(self, local, self._causes.because)
        for each in self._runtime.unfit() if ask else ():
            warn(self, each)
        self._compared = Compared() if look is None else look.compared()
        at_work = {local.endpoints.store.service, *(each.service for each in local.endpoints.catalogs)}
        contents = {"buckets", "catalogs", "access"}
        if engines := set(lakehouse.pipeline_engines):
            at_work |= engines
            contents |= {"pipelines"}
        done = self._runtime.bootstrap(
            ["--file", str(path), "--stack", name, "apply"],
            needs=sorted(filter(None, at_work)),
            wanted=digest(lakehouse.model_dump(mode="json", include=contents)),
            compared=self._compared,
        )
        self._scheduler = Scheduler(local, path, options.schedule)
        if why := self._scheduler.add(self._runtime, done):
            self._causes.found[scheduling.NAME] = why
        output(self, "addresses", local.addresses, "Where to find what: `lakehouse endpoints` says more")
        output(self, "access", who_may(lakehouse, options), "Who can do what")

    def write(self, outdir: Path) -> None:
        """Write the files that the stack's steps read, beside its cdk.tf.json."""
        folder = outdir / "stacks" / self._name
        _forget_backend(folder / ".terraform" / "terraform.tfstate", self._state)
        self._runtime.write(folder)
        self._scheduler.write(folder)
        started.write(folder, self._causes.settings)
        found, compared = self._causes.found, self._compared
        renewed = tuple(each for each in self._runtime.handed_over if each not in found)
        changes.write(folder, PlannedChanges(found, compared.lines, compared.failed, renewed))


def _forget_backend(remembered: Path, state: Path) -> None:
    """Remove Terraform's record of the state's path if it is not ``state``.

    Terraform stops if the path has changed, because another file has a stack of the same name or the project was moved.
    Each file's state stays where it is, so there is nothing to migrate.
    """
    try:
        backend = json.loads(remembered.read_text())["backend"]
        other = backend["type"] == "local" and backend["config"]["path"] != str(state)
    except (OSError, ValueError, KeyError, TypeError):
        return  # Terraform has not run here, or writes its record in another form
    if other:
        remembered.unlink()


def who_may(lakehouse: Lakehouse, stack: LocalOptions) -> str:
    """Who can do what with a local stack, as the sentence with which every deploy ends."""
    on_hosts = stack.runtime == "hosts"
    if stack.secure:
        others = "only the hosts and `clients` reach it" if on_hosts else "nobody from another machine reaches it"
        return (
            "The stack is secure: who has no password, token or key of it gets what `lakehouse access` lists, and "
            f"{others}."
        )
    if on_hosts:
        return (
            "Everybody on the hosts, and whoever reaches them from `clients`, can read and change all data of this "
            "lakehouse. The firewall of each host lets in nobody else."
        )
    spark = lakehouse.engines.spark
    but = " Spark Connect asks for its token." if spark and spark.connect and spark.connect.token else ""
    return f"Every user of this machine can read and change all data of this lakehouse, and nobody from another.{but}"
