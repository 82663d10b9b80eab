"""Rules of a stack with `runtime: hosts`."""

from __future__ import annotations

from collections.abc import Iterator

from lakehouse.spec.hosts import checked_ip
from lakehouse.spec.model import Lakehouse
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.stacks import LocalStack
from lakehouse.text.words import suggest

_OTHER_JAVA = ("3.5",)  # versions of Spark that need a Java which no package has
#: The keys that only such a stack has.
_KEYS = ("hosts", "place", "clients", "network", "harden", "packages")


def check_hosts(name: str, stack: LocalStack, lakehouse: Lakehouse) -> Iterator[Problem]:
    """What a stack on hosts needs and cannot have, and what only it can have."""
    at: KeyPath = ("stacks", name)
    if stack.runtime != "hosts":
        for key in _KEYS:
            if getattr(stack, key) != LocalStack.model_fields[key].default:
                message = f"only `runtime: hosts` has {key}, and this stack has `runtime: {stack.runtime}`. Remove it"
                yield Problem((*at, key), message, ((*at, "runtime"),))
        return
    if not stack.hosts:
        message = "`runtime: hosts` needs the hosts. Add hosts: {a: {address: 10.0.0.11}}"
        yield Problem((*at, "runtime"), message, ((*at, "hosts"),))
        return
    yield from _addresses(at, stack)
    yield from _places(at, stack, lakehouse)
    yield from _reached(at, stack)
    yield from _not_yet(at, stack, lakehouse)


def _addresses(at: KeyPath, stack: LocalStack) -> Iterator[Problem]:
    taken: dict[str, str] = {}
    reached: dict[tuple[str, int], str] = {}
    for host, each in stack.hosts.items():
        here: KeyPath = (*at, "hosts", host)
        if (other := reached.setdefault((each.address, each.port), host)) != host:
            message = f"{each.address}, port {each.port}, is also {other}. Choose another, or remove one of the two"
            yield Problem((*here, "address"), message, beside=(*at, "hosts", other))
            continue
        if each.internal is None:
            try:
                checked_ip(each.address)
            except ValueError as error:
                yield Problem((*here, "address"), f"{error}. Add internal: its IPv4 address among the hosts")
                continue
        if (other := taken.setdefault(each.inside, host)) != host:
            message = f"{each.inside} is also the address of {other}. Choose another, or remove one of the two"
            yield Problem((*here, "address"), message, beside=(*at, "hosts", other))


def _places(at: KeyPath, stack: LocalStack, lakehouse: Lakehouse) -> Iterator[Problem]:
    for key, host in stack.place.named:
        if host not in stack.hosts:
            fix = suggest(host, stack.hosts) or f" They are {', '.join(stack.hosts)}."
            yield Problem((*at, "place", *key), f'"{host}" is not one of `hosts`.{fix}', ((*at, "hosts"),))
    for word, workers in (
        ("trino", lakehouse.engines.trino.workers if lakehouse.engines.trino else None),
        ("spark", lakehouse.engines.spark.clustered if lakehouse.engines.spark else None),
    ):
        here: KeyPath = (*at, "place", word)
        places = getattr(stack.place, word)
        named = places.workers
        if workers is None and places != type(places)():
            yield Problem(here, f"the file has no {word}. Remove it, or add `{word}` to `engines`", (("engines",),))
        elif workers is not None and len(named) > workers:
            message = f"{len(named)} named ({', '.join(named)}), and {word} has {workers or 'no'} workers. "
            fix = f"Write workers: {len(named)} under engines.{word}, or name {'fewer' if workers else 'none'}"
            yield Problem((*here, "workers"), message + fix, (("engines", word, "workers"),))


def _reached(at: KeyPath, stack: LocalStack) -> Iterator[Problem]:
    """What a stack on a network needs, so that nobody opens one unknowingly."""
    if stack.network is None and stack.secure is None:
        message = (
            "the services ask nobody for a password and have no TLS, and here they listen on a network: whoever reads "
            "it sees keys and rows, and the firewall of each host lets in only the hosts and `clients`. Write "
            "`secure: true`, or, if that is acceptable, `network: trusted`"
        )
        yield Problem((*at, "runtime"), message, ((*at, "secure"),))
    if stack.network is not None and stack.secure is not None:
        message = "a `secure` stack has TLS and asks for passwords, so it trusts no network. Remove it"
        yield Problem((*at, "network"), message, ((*at, "secure"),))
    if not stack.clients:
        message = (
            "the firewall of each host lets in only the hosts and `clients`, and there are none: this machine could "
            "not even make the tables. Add clients: [ADDRESS, ...] with the address of this machine as the hosts see it"
        )
        yield Problem((*at, "runtime"), message, ((*at, "clients"),))


def _not_yet(at: KeyPath, stack: LocalStack, lakehouse: Lakehouse) -> Iterator[Problem]:
    """What this release cannot place on hosts."""
    if stack.schedule is not None:
        message = "`schedule` is not supported on `runtime: hosts` yet. Remove it, and let cron run the commands"
        yield Problem((*at, "schedule"), message, ((*at, "runtime"),))
    if stack.container_prefix is not None:
        yield Problem((*at, "container_prefix"), "there are no containers on `runtime: hosts`. Remove it")
    if lakehouse.engines.spark is not None and lakehouse.engines.spark.version in _OTHER_JAVA:
        message = f"Spark {lakehouse.engines.spark.version} needs Java 17, which no package has, and hosts get Java "
        fix = f"from packages ({at[1]}). Write version: 4.1"
        yield Problem((*at, "runtime"), message + fix, (("engines", "spark", "version"),))
    if lakehouse.sources:
        message = f"`sources` are not supported on `runtime: hosts` yet ({at[1]}). Remove them, or that stack"
        yield Problem((*at, "runtime"), message, (("sources",),))
