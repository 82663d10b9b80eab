"""A deployed lakehouse, attacked from where nobody has a secret, compared with what is known and shown of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lakehouse.services.service import Port
from tests.attacks.asks import ANYBODY, ASKS, CHOSEN, WHO, Ask
from tests.attacks.scan import HUNG, NOTHING
from tests.integration.deployment import Deployment
from tests.integration.listening import further

PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Found:
    """What became of an ask: the answers without TLS and with it."""

    port: Port
    who: str
    ask: Ask
    plain: str
    tls: str

    @property
    def answered(self) -> bool:
        return "answered" in (self.plain, self.tls)

    @property
    def unknown(self) -> bool:
        """Whether nobody knows what it would give. A server without TLS may wait for more of a client's greeting."""
        speaks = self.plain in ("answered", "refused") and not self.port.encrypted
        return HUNG in (self.plain, self.tls) and not speaks

    @property
    def speaks_plainly(self) -> bool:
        """Whether it does without TLS. Spark and PostgreSQL refuse so, if they encrypt what they answer to others."""
        own = self.ask.speaks in ("spark", "postgres") and self.port.encrypted
        return self.plain == "answered" if own else self.plain != NOTHING

    def __str__(self) -> str:
        return f"{self.port.name}: {self.who} gets {self.ask.does}: {self.plain} without TLS, {self.tls} with it"


def asks(port: Port) -> tuple[Ask, ...]:
    """What is tried at a port: as at the kind's own, without the number of a worker or the name of a catalog."""
    name = re.sub(r"^((?:spark|trino)-worker)-\d+", r"\1-{}", port.name)
    found = ASKS.get(name)
    if found is None:  # the port of a further catalog has its name at the end
        found = ASKS[max((each for each in ASKS if name.startswith(f"{each}-")), key=len)]
    return found


def tried(ports: Iterable[Port], whos: Iterable[str], where: Sequence[str] = ()) -> list[Found]:
    """Everything that is known for these ports, tried as another user if this one is root.

    ``where`` is the beginning of a command that runs the rest where 127.0.0.1 is the machine that is attacked.
    """
    every = [(port, who, ask) for port in ports for who in whos for ask in asks(port) if _makes_sense(who, ask)]
    return _tried(every, where)


def _tried(every: Sequence[tuple[Port, str, Ask]], where: Sequence[str] = ()) -> list[Found]:
    given = [[port.number, asdict(ask.by(who, port.number))] for port, who, ask in every]
    done = subprocess.run(
        [*where, sys.executable, "-m", "tests.attacks.scan"], input=json.dumps(given), capture_output=True, text=True,
        check=False, cwd=PROJECT, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [Found(*each, *answer) for each, answer in zip(every, json.loads(done.stdout), strict=True)]


def _makes_sense(who: str, ask: Ask) -> bool:
    """A browser speaks only HTTP, and shows a page of another site no answer."""
    return who == ANYBODY or (ask.speaks == "http" and (ask.changes or who != "page"))


def assert_known(
    deployment: Deployment, *, secure: bool = False, names: Collection[str] | None = None, where: Sequence[str] = ()
) -> list[Found]:
    """Nothing at a port is answered otherwise than it is known, and than `lakehouse access` shows it.

    ``names`` are the services that are meant, by default all; ``where`` is as in :func:`tried`.
    """
    local = deployment.local
    some = [each for each in local.services if names is None or each.name in names]
    ports = [replace(port, number=local.place.external(port.name).port) for of in some for port in of.ports]
    found = tried(ports, WHO, where)
    wrong = [*surprises(found, secure=secure), *undeclared(found)]
    assert not wrong, "\n".join(wrong)
    return found


def assert_known_further(deployment: Deployment, *, secure: bool = False) -> None:
    """The same of the ports that services of processes choose themselves."""
    services = {each.name: each for each in deployment.local.services}
    by_port: dict[Port, list[Found]] = {}
    for each in further(deployment):
        port = services[each.service].further
        assert port is not None, f"{each.service} listens on {each.port}, and its kind says of no further ports"
        at = replace(port, number=each.port)
        by_port[at] = _tried([(at, ANYBODY, ask) for ask in CHOSEN])
    assert by_port
    found = [each for of in by_port.values() for each in of]
    wrong = [*surprises(found, secure=secure), *undeclared(found)]
    assert not wrong, "\n".join(wrong)


def surprises(found: Iterable[Found], *, secure: bool) -> list[str]:
    """The asks that are answered otherwise than it is known, or not in time."""
    wrong = []
    for each in found:
        ask = each.ask.by(each.who, each.port.number)
        closed = secure or each.port.encrypted or not each.port.gives  # as a Trino with passwords is
        if each.unknown or each.answered != (ask.secure if closed else ask.open):
            wrong.append(str(each))
    return wrong


def undeclared(found: Iterable[Found]) -> list[str]:
    """The ports that give more, or less, without a login or without TLS than their kind says."""
    by_port: dict[Port, list[Found]] = {}
    for each in found:
        if each.who == ANYBODY:
            by_port.setdefault(each.port, []).append(each)
    wrong = []
    for port, of_it in by_port.items():
        gives, plain = any(each.answered for each in of_it), any(each.speaks_plainly for each in of_it)
        if gives != bool(port.gives) or plain == port.encrypted:
            wrong.append(f"{port.name} says {port.gives!r} and TLS {port.encrypted}, but: {'; '.join(map(str, of_it))}")
    return wrong
