"""Findings about Docker: whether it answers, is new enough and has enough memory. They only decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lakehouse import toolkit
from lakehouse.runtimes.docker.connection import OLDEST, numbers
from lakehouse.runtimes.docker.containers import MACHINE
from lakehouse.runtimes.findings import Finding, error, ok, warning

_WITHOUT = "or run without Docker: `runtime: process` in lakehouse.yaml"


@dataclass(frozen=True)
class Daemon:
    """The result of a request to Docker. ``failure`` is empty if it answered."""

    host: str  # its address: DOCKER_HOST, or the usual socket
    named: bool  # whether DOCKER_HOST is set
    failure: str = ""
    socket: bool = True  # the socket's file exists; also True if the address is no file
    installed: bool = True  # the program `docker` or `dockerd` is on PATH
    context: str = ""  # the docker command's current context, if it is not the usual one


def answers(daemon: Daemon) -> Finding:
    """Whether Docker answers, and why if it does not."""
    if not daemon.failure:
        return ok(f"answers at {daemon.host}")
    found = f"Docker does not answer at {daemon.host}"
    if "ermission denied" in daemon.failure:
        return error(
            f"{found}: permission denied",
            "this user may not use the socket",
            "`sudo usermod -aG docker $USER` and a new login, " + _WITHOUT,
        )
    if daemon.named:
        return error(
            f"{found}: {daemon.failure}", "DOCKER_HOST names an address without a Docker", "`unset DOCKER_HOST`"
        )
    if daemon.context:
        return error(
            found,
            f"the docker command uses the context {daemon.context}, which Terraform and this program do not read",
            "`export DOCKER_HOST=$(docker context inspect --format '{{.Endpoints.docker.Host}}')`",
        )
    if not daemon.installed:
        return error(
            found, "Docker is not installed", f"install Docker {_least()} or newer (docs.docker.com), {_WITHOUT}"
        )
    if not daemon.socket:
        return error(found, "Docker is installed but does not run", f"`sudo systemctl start docker`, {_WITHOUT}")
    return error(
        f"{found}: {daemon.failure}",
        "the socket exists, but Docker does not answer on it",
        "`sudo systemctl restart docker`",
    )


def _least() -> str:
    return ".".join(map(str, OLDEST))


def version(text: str) -> Finding:
    if numbers(text) < OLDEST:
        return error(
            f"Docker {text}",
            f"it is older than {_least()}: health checks, memory limits or networks do not work properly",
            "update Docker (docs.docker.com), then `docker version`",
        )
    return ok(f"Docker {text}")


def memory(total: int, wanted: Mapping[str, int], stack: str) -> Finding:
    """Whether Docker's ``total`` MiB are enough for the services. A virtual machine may have less than the host."""
    everything = sum(wanted.values())
    sizes = f"Docker has {total} MiB; the services may need {everything}"
    if everything > total:
        return error(
            sizes,
            "Docker's own memory (Docker Desktop: Settings, Resources) is smaller than what the services may need",
            "give Docker more, or set smaller `memory` under `engines` in lakehouse.yaml and "
            f"`lakehouse --stack {stack} deploy`",
        )
    return ok(sizes)


def provider(there: bool, failure: str) -> Finding:
    """Whether Terraform's Docker provider is on this machine. ``failure`` is Terraform's error if it cannot get it."""
    if there or not failure:
        return ok("on this machine" if there else "Terraform can get it")
    return error(
        f"Terraform's Docker provider is missing: {failure}",
        "no registry of providers can be reached, and the provider was not built here",
        f"`{toolkit.command('providers')}`",
    )


def images(missing: Mapping[str, bool], count: int, stack: str) -> Finding:
    """Whether Docker has all ``count`` images. ``missing`` maps each missing one to whether a registry offers it."""
    lost = [reference for reference, offered in missing.items() if not offered]
    if lost:
        return error(
            f"missing here, and no registry offers them: {', '.join(lost)}",
            "no registry can be reached from this machine, or the tag is gone",
            f"`{toolkit.command('images')}` builds them from the packages",
        )
    if missing:
        return warning(
            f"missing here: {', '.join(missing)}",
            "they were not pulled, or they were removed",
            f"`lakehouse --stack {stack} deploy` pulls them, `{toolkit.command('images')}` builds them",
        )
    return ok(f"{count} images here")


def names(unresolved: Mapping[str, Sequence[str]], detached: Sequence[str], network: str, stack: str) -> Finding:
    """Whether services find each other by name.

    ``unresolved`` maps a container to the names that do not resolve in it; ``detached`` containers are not in the
    stack's network.
    """
    if detached:
        return error(
            f"{', '.join(detached)} not in the network {network}",
            "it was disconnected, or started by hand",
            f"`lakehouse --stack {stack} deploy`, or at once: "
            f"`docker network connect --alias SERVICE {network} CONTAINER`",
        )
    lost = {where: which for where, which in unresolved.items() if which}
    if lost:
        return error(
            "; ".join(f"{where} does not resolve {', '.join(which)}" for where, which in lost.items()),
            f"they do not use the name server of the network {network}: their /etc/resolv.conf was changed",
            f"`lakehouse --stack {stack} destroy`, then `lakehouse --stack {stack} deploy` (the data stays)",
        )
    return ok("services find each other by name")


def calls(refused: Sequence[str], port: int) -> Finding:
    """Whether containers reach what runs beside them. ``refused`` are the services that do not."""
    if refused:
        return error(
            f"{', '.join(refused)} cannot open {MACHINE}:{port}, so each statement waits for it in vain",
            "a firewall of this machine drops what its containers send to it",
            f"let it in from Docker's networks, e.g. `sudo ufw allow proto tcp from 172.16.0.0/12 to any port {port}`",
        )
    return ok("containers reach what runs beside them")
