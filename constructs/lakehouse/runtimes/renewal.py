"""Puts renewed certificates into the files of running services, which take them without a restart if they can."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lakehouse.runtimes import certificates, credentials, generations, given
from lakehouse.runtimes.runtime import Runtime
from lakehouse.runtimes.state import State
from lakehouse.services.certificate import AUTHORITIES, Given
from lakehouse.services.service import File, Service
from lakehouse.text import pkcs12
from lakehouse.text.placeholders import Keystore, issued, parts, written


@dataclass(frozen=True)
class Renewals:
    """What became of the certificates of a stack, by the names of credentials and of services.

    ``left`` are those that are due and not renewed; ``taken`` the services that got theirs while they run, and
    ``waiting`` those that serve a former one until they restart.
    """

    renewed: tuple[str, ...]
    left: tuple[str, ...]
    taken: tuple[str, ...]
    waiting: tuple[Service, ...]


def renew(
    state: State,
    services: Sequence[Service],
    runtime: Runtime,
    certificate: Given | None = None,
    *,
    everything: bool = False,
    restarting: bool = False,
) -> Renewals:
    """Renew the certificates that are due, or ``everything``, and give them to the services that run.

    One whose service only a restart renews is made only if the caller is ``restarting`` what waits. The authority and
    the keys that sign tokens are left to a deploy, which starts all their services again. The user's
    ``certificate`` is due where the state folder has another one.

    Raises LakehouseError if openssl is missing or fails, or if a service has ended meanwhile; UsageError if the user's
    certificate cannot be used.
    """
    known = credentials.known(services)
    given.check(certificate, (each.certificate for each in known.values() if each.certificate is not None))
    due = [name for name, each in known.items() if generations.ends(state, each, certificate)]
    there = runtime.processes()
    running = [each for each in services if each.name in there and there[each.name].pid]
    stiff = {each.name for each in running if not each.renewal}
    renewed: list[str] = []
    for name, each in known.items():
        own = each.certificate
        if own is None or own.certificate in AUTHORITIES or f"{own.signer}{credentials.SUFFIX}" in due:
            continue
        if not certificates.is_there(state, own.certificate):
            continue
        made_here = certificate is None or not certificates.is_given(own)
        if (name in due or (everything and made_here)) and (restarting or not stiff & set(each.users)):
            certificates.make(state, own, certificate)
            renewed.append(name)
    taken = hand_over(state, running, runtime)
    waiting = tuple(each for each in running if each.name in stiff and outdated(state, each))
    return Renewals(tuple(renewed), tuple(name for name in due if name not in renewed), tuple(taken), waiting)


def restart(
    state: State, services: Iterable[Service], waiting: Iterable[Service], runtime: Runtime
) -> dict[str, float]:
    """Restart the services that wait for it, and those that must restart with them.

    Returns the seconds until each was ready, by name. Raises LakehouseError if one does not get ready.
    """
    names = {each.name for each in waiting}
    took: dict[str, float] = {}
    for each in services:
        if each.name in names:
            runtime.configure(each.name, outdated(state, each))
        if each.name in names or took.keys() & set(each.restarts_with):
            took[each.name] = runtime.restart(each)
    return took


def outdated(state: State, service: Service) -> tuple[File, ...]:
    """The files of a service's configuration with another certificate or key of its own than the state folder has.

    A file that is not there is none of them: the service was started without it.
    """
    own = (file for file in service.files if any(part.certificate not in AUTHORITIES for part in issued(file.text)))
    return tuple(file for file in own if not _is_current(state, service, file))


def hand_over(state: State, services: Iterable[Service], runtime: Runtime) -> list[str]:
    """Write the outdated files of services that take them while they run. Returns the names of these services."""
    found = [(each, files) for each in services if each.renewal and (files := outdated(state, each))]
    for service, files in found:
        runtime.configure(service.name, files)
        if service.renewal != "itself":
            runtime.signal(service.name, service.renewal)
    return [service.name for service, _ in found]


def _is_current(state: State, service: Service, file: File) -> bool:
    try:
        there = (state.config(service.name) / file.path).read_bytes()
    except FileNotFoundError:
        return True
    match parts(file.text):
        case (Keystore(_, chain),):  # two of the same are never equal
            return pkcs12.holds(there, state.secret(chain.kept))
    return there == written(file.text, state.secret)
