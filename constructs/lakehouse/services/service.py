"""Services, independent of the runtime.

A :class:`Service` is a value: a runtime (process, docker, hosts) turns it into Terraform resources and running
processes. It is built for a :class:`Place`, which knows where folders, packages, hosts and secrets are in that runtime.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import Literal, Protocol

from lakehouse.text.later import ASIDE, later
from lakehouse.text.placeholders import Content, Secret, Text

LOOPBACK = "127.0.0.1"
# What ports give without a login, as parts of a sentence.
HEALTH = "whether it is up"
LOGIN_PAGE = "the page to log in"
NUMBERS = "whether it is up, and its numbers"
METADATA = "names and metadata of all tables, and changes of them"


@dataclass(frozen=True)
class Address:
    """The host and number at which a port answers."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def url(self, scheme: str, path: str = "") -> str:
        """The address as a URL of that scheme."""
        # Spark Connect's clients send a token to a server without TLS only if the address is `localhost`.
        named = f"localhost:{self.port}" if (scheme, self.host) == ("sc", LOOPBACK) else str(self)
        return f"{scheme}://{named}{path}"


@dataclass(frozen=True)
class Numbers:
    """Where a port has metrics in Prometheus' text format. With a ``user`` it asks for a login.

    https://prometheus.io/docs/instrumenting/exposition_formats/
    """

    path: str
    user: str = ""
    password: Secret | None = None  # None: an empty one
    parameters: tuple[tuple[str, str], ...] = ()  # of the request


@dataclass(frozen=True)
class Port:
    """A TCP port of a service. ``name`` is its key under ``stacks.NAME.ports`` in lakehouse.yaml."""

    name: str
    number: int
    scheme: Literal["http", "https", "tcp", "spark", "sc"] = "http"
    label: str = ""  # what a browser finds there ("Spark master UI"); empty: it is not for browsers
    path: str = ""  # the path to open in a browser
    meaning: str = later("")  # its purpose, if it is not always that of its kind
    # What whoever reaches it gets without a login, as part of a sentence; empty: nothing. None: nobody has said it.
    gives: str | None = field(default=None, metadata=ASIDE)
    inner: bool = later(False)  # only other services need it, so on Docker it is not published on this machine
    tls: bool = field(default=False, metadata=ASIDE)  # its connections have TLS, although its scheme does not say so
    numbers: tuple[Numbers, ...] = field(default=(), metadata=ASIDE)  # what `monitoring` of a stack reads there

    @property
    def encrypted(self) -> bool:
        """Whether its connections have TLS."""
        return self.tls or self.scheme == "https"

    @property
    def closed(self) -> bool:
        """Whether it asks for a login, over TLS."""
        return self.encrypted and self.gives == ""


@dataclass(frozen=True)
class Probe:
    """When a service counts as ready.

    ``http`` and ``https``: a 2xx answer contains ``expect``. ``tcp``: the port is open. ``exec``: ``command``, run
    where the service runs, ends with 0. ``end``: the service's own command ends with 0, because it is a one-shot job,
    such as one that creates a schema. Each definition of a job runs once; services that need it wait for its end.
    """

    kind: Literal["http", "https", "tcp", "exec", "end"]
    port: int = 0
    path: str = "/"
    expect: str = ""
    patience: int = 300  # seconds until the service counts as failed; if its process ends, it counts at once
    trust: str = later("")  # for https: the authority's certificate, a file of the service; empty: the system's
    command: tuple[str, ...] = later(())

    def __str__(self) -> str:
        """What is checked, as text."""
        if self.kind == "exec":
            return f"`{self.command[0]}`"
        return f"port {self.port}{'' if self.kind == 'tcp' else self.path}"


@dataclass(frozen=True)
class File:
    """A file that the service reads. Placeholders are replaced when it is written, and other users cannot read it."""

    path: str  # relative to the service's configuration folder
    text: Text
    once: bool = later(False)  # only its first content: the bootstrap changes it while the service runs


@dataclass(frozen=True)
class Drain:
    """How a service is emptied before it stops, so that what runs on it ends well.

    It begins with ``put``, the body of a PUT request to ``path``, or else with ``signal``. It has ended when GET of
    ``path`` answers with ``done``. ``undo``, another body, takes it back, if the service was not started again after
    all. All requests go to ``port``, where the service runs, as ``user``. Of a ``group``, one service is drained and
    started again at a time. In a secure stack they have TLS, if ``trust`` names the authority's certificate among the
    service's files, and ``shows`` is their Authorization.
    """

    group: str
    port: int
    path: str
    done: str
    put: str = ""
    undo: str = ""
    signal: Literal["", "PWR"] = ""
    user: str = ""  # of Trino: the name in its header; empty: none
    trust: str = ""
    shows: Text = ""
    patience: int = 900  # seconds; then it is stopped as it is


@dataclass(frozen=True)
class Service:
    """A definition of a service. Its paths, hosts and ports are those of the place that it was built for."""

    name: str
    image: str  # its name in the catalogue of images (lakehouse.runtimes.docker.images); empty: it has none
    packages: tuple[str, ...]  # names in the catalogue of packages
    command: tuple[str, ...]
    probe: Probe
    ports: tuple[Port, ...] = ()
    java: int | None = None  # the Java feature version that the command needs
    environment: tuple[tuple[str, str], ...] = ()
    files: tuple[File, ...] = ()
    data: tuple[str, ...] = ()  # folders that outlive the process, absolute paths
    directory: str = ""  # the working folder; empty: the configuration folder
    memory_mb: int = 512  # MiB that the whole process may need: heap and the rest
    needs: tuple[str, ...] = ()  # services that must be ready before this one starts
    restarts_with: tuple[str, ...] = ()  # services after whose restart this one must be restarted
    stop_seconds: int = 15  # between the signal to stop and SIGKILL
    # Of a store: its files in read-only mode, for a full disk. None: it is no store; empty: it has no such mode and
    # must be stopped.
    reading: tuple[File, ...] | None = None
    # After its disk was full, it refuses writes, or some of them, until it is started again.
    stuck_when_full: bool = field(default=False, metadata=ASIDE)
    # In a container, the image's own entry point is kept and gets ``command`` without its first word, the program.
    keeps_entrypoint: bool = later(False)
    stop_signal: Literal["TERM", "INT"] = later("TERM")  # of a process; a container's image sets its own
    forgets: tuple[str, ...] = later(())  # files removed before each start; the last part of a path may be a pattern
    leaves: tuple[str, ...] = later(())  # files outside its folders that may be there after its end, absolute paths
    # How a renewed certificate gets into use while it runs: it looks at its files by itself, within a minute, or reads
    # them at that signal. Empty: only a restart does it.
    renewal: Literal["", "itself", "HUP", "USR1"] = field(default="", metadata=ASIDE)
    unprivileged: bool = later(False)  # it refuses to run as root; as root, its command enters a user namespace
    # How it is emptied before it stops. None: it is stopped as it is.
    drain: Drain | None = field(default=None, metadata=ASIDE)
    # The ports that its processes choose themselves, all as one: with a pattern as the name, and 0 as the number.
    further: Port | None = field(default=None, metadata=ASIDE)
    calls_outside: bool = field(default=False, metadata=ASIDE)  # it calls services that have no image
    # A command that ends with 0 if the program takes the service's files, in whose folder it runs. A deploy asks it
    # before it stops anything. Empty: nobody but its start can tell.
    trial: tuple[str, ...] = field(default=(), metadata=ASIDE)

    @property
    def is_job(self) -> bool:
        """Whether it is a one-shot job, which runs once to its end."""
        return self.probe.kind == "end"

    @property
    def outside(self) -> bool:
        """Whether it has no image: in a stack on Docker it is a process of this machine, outside of the containers."""
        return not self.image

    @property
    def forgetting(self) -> str:
        """The shell command that removes the files in ``forgets``; empty if there are none."""
        paths = (each.rpartition("/") for each in self.forgets)
        words = [f"{shlex.quote(folder)}/{name}" for folder, _, name in paths]
        return " ".join(("rm -f --", *words)) if words else ""


@dataclass(frozen=True)
class BehindProxy:
    """How a service of a secure stack is behind a proxy, which ends TLS and asks who a client is.

    ``proxy`` is the service in front of it, ``bind`` the address that it listens on, and ``host`` the one by which the
    proxy reaches it.
    """

    proxy: str
    bind: str
    host: str


@dataclass(frozen=True)
class Toolkit:
    """How a service runs a module of this toolkit: its Python, and the variables that it needs."""

    python: str
    environment: tuple[tuple[str, str], ...] = ()


class Place(Protocol):
    """Where the folders, packages, hosts and secrets of services are in a runtime."""

    def package(self, name: str) -> str:
        """Folder or file of a package in the catalogue."""

    def java(self, feature: int) -> str:
        """The ``java`` executable of that feature version."""

    def toolkit(self) -> Toolkit:
        """This toolkit, where the service runs."""

    def config(self, service: str) -> str:
        """Folder in which the service's files are written."""

    def data(self, service: str) -> str:
        """Folder for the service's data, which outlives its process."""

    def host(self, service: str) -> str:
        """Host name under which other services reach the service."""

    def bind(self) -> str:
        """The address that services listen on."""

    def behind(self, service: str) -> BehindProxy:
        """How a service that has no TLS of its own is behind a proxy of a secure stack."""

    def port(self, name: str) -> int:
        """The number of a named port where the service runs."""

    def external(self, port: str) -> Address:
        """The address of a named port for users and the bootstrap. It may be on another machine."""

    def called(self, port: str) -> Address:
        """The address of a named port of a service that has no image, for services that have one."""

    def secret(self, name: str) -> Secret:
        """A placeholder for a secret, for use only in a :class:`File`."""

    def beside(self, path: str, *, public: bool = False) -> Content:
        """A placeholder for the content of a file that lakehouse.yaml names, for use only in a :class:`File`.

        It is a secret, which only its owner may read, unless it is ``public``.
        """

    def named(self, path: str) -> str:
        """A folder of this machine that lakehouse.yaml names."""

    @property
    def outside(self) -> Place:
        """The place of services that have no image. Usually it is this one, and on Docker this machine."""

    @property
    def secure(self) -> bool:
        """Whether every port that has a way to must have TLS, and ask who a client is."""

    @property
    def drains(self) -> bool:
        """Whether services are drained there before they start again. Those that know how are made so that they can."""

    @property
    def trust(self) -> str:
        """The file of the certificate by which users trust the services of a secure stack; else empty."""


def scheme(place: Place) -> Literal["http", "https"]:
    """That of a port which speaks HTTP, and which has TLS in a secure stack."""
    return "https" if place.secure else "http"
