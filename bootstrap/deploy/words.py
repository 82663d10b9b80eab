"""What a command says when a deploy, a comparison or a destroy has ended."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bootstrap.deploy.run import Ended
from bootstrap.deploy.view import DeployView
from bootstrap.session.target import Target
from lakehouse import toolkit
from lakehouse.kinds.engines.spark import TOKEN
from lakehouse.runtimes.changes import PlannedChanges
from lakehouse.runtimes.local import Local
from lakehouse.runtimes.state import terraform_state
from lakehouse.spec import Lakehouse
from lakehouse.text.terminal import shown, shown_lines

_SIGNS: Mapping[str, str] = {"create": "+", "change": "~", "replace": "~", "destroy": "-"}

# The resource of a service, in each runtime.
_OF_SERVICE = re.compile(r"\.(?:process|docker|hosts)_(?P<name>.+)_[0-9A-F]{8}$")

_PROVIDER = (
    "Terraform found no registry with that provider. For a stack of containers, "
    f"`{toolkit.command('providers')}` builds Docker's, and `{toolkit.command('images')}` the images."
)


def _number(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def near(path: Path) -> str:
    """A path as it is shortest from the working folder."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def after_deploy(target: Target, view: DeployView, seconds: float, *, idle: bool) -> Iterator[str]:
    """What is there after a deploy, and what to do next."""
    name, stack = target.lakehouse.name, target.stack
    if idle:
        yield f"Nothing to do: {name}, stack {stack}, is as {target.path.name} says ({seconds:.0f} s)."
        if not target.in_aws:
            yield "`lakehouse endpoints` lists its addresses."
        return
    if target.in_aws:
        done = view.resources[0]
        yield f"{name}, stack {stack}, is deployed: {_number(done, 'resource')} changed in {seconds:.0f} s."
        yield f"Next: `lakehouse --stack {stack} verify` proves that it works."
        return
    started = view.named("ready")
    whole = f"{len(started)} of {len(view.parts)} services started" if started else "its services ran already"
    contents = "" if view.contents is None else f", {_number(view.contents[1], 'change')} to the contents"
    yield f"{name}, stack {stack}, is up: {whole}{contents}, in {seconds:.0f} s."
    yield ""
    yield from addresses(target.located)
    yield ""
    yield "Next:"
    yield from next_steps(target.lakehouse, target.located)


def addresses(local: Local) -> Iterator[str]:
    """The addresses of engines, catalogs and the store. The workers' pages are left out: there may be many."""
    found = {name: url for name, url in local.addresses.items() if not name.startswith("spark-worker")}
    widest = max(map(len, found), default=0)
    yield from (f"  {name:<{widest}}  {url}" for name, url in found.items())


def next_steps(lakehouse: Lakehouse, local: Local) -> Iterator[str]:
    """One query and one snippet that work on this lakehouse."""
    found = local.addresses
    connect, trino = found.get("spark-connect"), found.get("trino")
    table = _table(lakehouse)
    if not shutil.which("lakehouse"):
        yield "  source .venv/bin/activate"
    if trino or connect:
        engine = "" if trino else " --engine spark"
        query = f"SELECT count(*) FROM {table}" if table else "SHOW CATALOGS"  # noqa: S608 - it is printed
        yield f"  lakehouse sql{engine} -e '{query}'"
    else:
        yield "  lakehouse endpoints"
    if connect:
        yield from _snippet(connect, f'table("{table}")' if table else 'sql("SHOW CATALOGS")')
        if local.place.secure:
            yield f"with its token and certificate in the environment: {_EVAL}"
        elif (token := local.state.root / "secrets" / TOKEN).is_file():
            yield f"with the token in the environment: export SPARK_CONNECT_AUTHENTICATE_TOKEN=$(cat {near(token)})"


_EVAL = 'eval "$(lakehouse endpoints --for env)"'


def _snippet(connect: str, rows: str) -> Iterator[str]:
    yield "or in Python:"
    yield "  from pyspark.sql import SparkSession"
    yield f'  spark = SparkSession.builder.remote("{connect}").getOrCreate()'
    yield f"  spark.{rows}.show()"


def _table(lakehouse: Lakehouse) -> str:
    """The first table of the file that all engines name alike: engines quote nested namespaces in different ways."""
    for catalog, entry in lakehouse.catalogs.items():
        for namespace, space in entry.namespaces.items():
            for table in space.tables if "." not in namespace else ():
                return f"{catalog}.{namespace}.{table}"
    return ""


def after_destroy(target: Target, seconds: float, *, idle: bool) -> Iterator[str]:
    """What is left after a destroy."""
    name, stack = target.lakehouse.name, target.stack
    if target.in_aws:
        yield f"{name}, stack {stack}: {'there was nothing to destroy' if idle else f'destroyed in {seconds:.0f} s'}."
        return
    what = "was not up" if idle else f"is stopped ({seconds:.0f} s): no process and no port is left"
    yield f"{name}, stack {stack}, {what}. The data stays in {near(target.located.state.root)}" + (
        f" and {where}." if (where := _beside(target.located)) else "."
    )
    yield "`lakehouse deploy` starts it again; `lakehouse destroy --data` deletes the data."


def _beside(local: Local) -> str:
    """Where data is that is not in the state folder."""
    if not (volumes := local.runtime.volumes()):
        return ""
    return f"on its hosts ({', '.join(volumes)})" if local.runtime.remote else "in Docker's volumes"


def failure(ended: Ended, errors: Sequence[str], again: str) -> Iterator[str]:
    """What failed, what state the rest is in, and what to do."""
    view = ended.view
    if view.failed:
        where = f"{view.where}: " if view.where and not view.failed.startswith(view.where) else ""
        yield f"Error: {where}{shown_lines(view.failed)}"
    else:
        yield from errors or (f"Error: it ended with exit code {ended.code}, and said nothing.",)
        if any("Failed to query available provider packages" in line for line in errors):
            yield _PROVIDER
    yield ""
    yield from states(view)
    left = "" if view.action == "diff" else ": it does only what is left"
    yield f"Correct that, then run `{again}`{left}. `lakehouse doctor` looks for causes."


def states(view: DeployView) -> Iterator[str]:
    """The services by their state, as far as the run has told."""
    if not view.counted().keys() - {"unchanged", "waiting"}:
        yield "Nothing was stopped or started."
        return
    words = {
        "ready": "Ready",
        "unchanged": "Left as they were",
        "starting": "Not ready yet",
        "stopping": "Not stopped yet",
        "stopped": "Stopped",
        "failed": "Failed",
        "waiting": "Not started",
    }
    yield from (f"{word}: {', '.join(names)}." for state, word in words.items() if (names := view.named(state)))


def interruption(target: Target, ended: Ended, again: str) -> Iterator[str]:
    """What state a stack is in after Ctrl-C, as it is now."""
    began = ended.view.resources[1] or ended.view.counted().keys() - {"unchanged"}
    yield "Interrupted: Terraform has recorded what was done." if began else "Interrupted before anything was changed."
    if not target.in_aws:
        health = target.located.runtime.healthy()
        for word, some in (("Up", True), ("Not up", False)):
            if names := [name for name, well in health.items() if well == some]:
                yield f"{word}: {', '.join(names)}."
    yield f"`{again}` goes on from here."


def comparison(
    target: Target, found: PlannedChanges, planned: Sequence[tuple[str, str]], gone: Sequence[str]
) -> Iterator[str]:
    """What a deploy would change, and why."""
    name, stack = target.lakehouse.name, target.stack
    if target.in_aws:
        yield f"{name}, stack {stack}:"
        yield from (f"  {_SIGNS[action]} {shown(address)}" for address, action in planned)
        return
    yield f"Services of {name}, stack {stack}:"
    for service, why in found.services.items():
        sign, does = ("+", "starts") if why == "first start" else ("~", "starts again")
        yield f"  {sign} {service} {does}: {why}"
    yield from (f"  ~ {each} gets a renewed certificate, and goes on" for each in found.renewed)
    yield from (f"  - {each} stops: it is no longer in {target.path.name}" for each in gone)
    if stay := [each.name for each in target.located.everything if each.name not in (*found.services, *found.renewed)]:
        yield f"  {', '.join(stay)}: no change"
    yield "Contents:"
    if found.failed:
        yield f"  {not_compared(found.failed)}"
    elif found.contents is None:
        yield "  compared when the services run"
    else:
        yield from (f"  {shown(line)}" for line in found.contents)
        if "No changes." in found.contents and not (found.services or found.renewed or gone):
            yield f"So nothing starts and nothing is made: a deploy only takes note of the new {target.path.name}."


def with_unknown(target: Target, found: PlannedChanges, planned: Sequence[tuple[str, str]]) -> PlannedChanges:
    """The changes with the services that run, but that Terraform would create because its state does not know them.

    The app compares what runs with the file, and cannot see Terraform's state.
    """
    if target.in_aws:
        return found
    known = terraform_state(target.path, target.stack)
    why = f"Terraform's state ({known.name}) does not know it, as if somebody had removed that file"
    made = [
        match["name"] for address, action in planned if action == "create" and (match := _OF_SERVICE.search(address))
    ]
    own = [each.name for each in target.located.everything if each.name in made and each.name not in found.services]
    return replace(found, services={**found.services, **dict.fromkeys(own, why)})


def not_compared(why: str) -> str:
    """That nobody knows whether the contents are as the file says. A synth waits for the comparison only so long."""
    return (
        f"The contents were not compared with the file: {shown(why)}. `lakehouse plan` compares them without a limit."
    )
