"""A place for tests: its paths describe themselves."""

from __future__ import annotations

from pathlib import Path

from lakehouse.services.service import Address, BehindProxy, Place, Toolkit
from lakehouse.spec import Lakehouse, LocalStack, load
from lakehouse.spec.ports import ports
from lakehouse.text.placeholders import Content, Hashed, Part, Secret, Signed, Text, parts

PROJECT = Path(__file__).parents[4]


class Somewhere:
    """A Place whose internal and external views differ, so that mixing them up shows."""

    def __init__(self, lakehouse: Lakehouse, trust: str = "", *, drains: bool = False) -> None:
        self._ports = ports(lakehouse, "local")
        self.trust = trust
        self.drains = drains

    @property
    def outside(self) -> Place:
        return self

    @property
    def secure(self) -> bool:
        return bool(self.trust)

    def package(self, name: str) -> str:
        return f"/packages/{name}"

    def java(self, feature: int) -> str:
        return f"/java-{feature}/bin/java"

    def toolkit(self) -> Toolkit:
        return Toolkit("/python", (("PYTHONPATH", "/toolkit"),))

    def config(self, service: str) -> str:
        return f"/config/{service}"

    def data(self, service: str) -> str:
        return f"/data/{service}"

    def host(self, service: str) -> str:
        return f"{service}.internal"

    def bind(self) -> str:
        return "0.0.0.0"

    def behind(self, service: str) -> BehindProxy:
        return BehindProxy("proxy", "0.0.0.0", f"{service}.internal")

    def port(self, name: str) -> int:
        return self._ports[name]

    def external(self, port: str) -> Address:
        return Address("lakehouse.example", self._ports[port] + 10_000)

    def called(self, port: str) -> Address:
        return Address("outside.internal", self._ports[port])

    def secret(self, name: str) -> Secret:
        return Secret(name)

    def beside(self, path: str, *, public: bool = False) -> Content:
        return Content(str(Path("/beside", path)), public)

    def named(self, path: str) -> str:
        return str(Path("/beside", path))


def default() -> Lakehouse:
    """The project's own lakehouse.yaml."""
    return load(PROJECT / "lakehouse.yaml")


def local(lakehouse: Lakehouse) -> LocalStack:
    """Its stack ``local``."""
    stack = lakehouse.stacks["local"]
    assert isinstance(stack, LocalStack)
    return stack


def as_text(text: Text) -> str:
    """The text with its placeholders as words in angles."""
    return "".join(_word(part) for part in parts(text))


def _word(part: Part) -> str:
    match part:
        case Secret(name):
            return f"<secret:{name}>"
        case Hashed(secret) | Signed(secret):
            return f"<{type(part).__name__.lower()}:{secret.secret}>"
        case Content(file):
            return f"<file:{file}>"
        case str():
            return part
    return f"<{part}>"
