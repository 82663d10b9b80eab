"""What a service is, whatever place it runs in.

A :class:`Service` is a value: a runtime (process, docker, hosts) turns it into Terraform resources and running
processes. It is built for a :class:`Place`, which answers where things are there: folders, packages, hosts, secrets.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Literal, Protocol

from lakehouse.text.later import later
from lakehouse.text.placeholders import Content, Secret, Text

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Address:
    """Where a port answers."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def url(self, scheme: str, path: str = "") -> str:
        """The address as clients of that scheme take it."""
        # Spark Connect's clients give a token to a server without TLS only if the address says `localhost`.
        named = f"localhost:{self.port}" if (scheme, self.host) == ("sc", LOOPBACK) else str(self)
        return f"{scheme}://{named}{path}"


@dataclass(frozen=True)
class Port:
    """A TCP port of a service. ``name`` is its key under ``stacks.NAME.ports`` in lakehouse.yaml."""

    name: str
    number: int
    scheme: Literal["http", "https", "tcp", "spark", "sc"] = "http"
    label: str = ""  # what a person finds there ("Spark master UI"); empty: nothing to open in a browser
    path: str = ""  # where on it a browser begins


@dataclass(frozen=True)
class Probe:
    """How readiness is seen: ``http`` and ``https`` want a 2xx answer that holds ``expect``, ``tcp`` an open port.

    ``exec`` wants a ``command``, run where the service runs, to end with 0. ``end`` wants that of the service's own: it
    is a one-shot job, such as one that makes a schema. Each definition of it is run once; what needs it waits.
    """

    kind: Literal["http", "https", "tcp", "exec", "end"]
    port: int = 0
    path: str = "/"
    expect: str = ""
    patience: int = 300  # seconds until it counts as failed; one that dies is seen at once
    trust: str = later("")  # of https: the authority's certificate, a file of the service; empty: the system's
    command: tuple[str, ...] = later(())

    def __str__(self) -> str:
        """What is asked, in words."""
        if self.kind == "exec":
            return f"`{self.command[0]}`"
        return f"port {self.port}{'' if self.kind == 'tcp' else self.path}"


@dataclass(frozen=True)
class File:
    """A file the service reads; placeholders in it are replaced where it is written, closed to other users."""

    path: str  # relative to the service's configuration folder
    text: Text


@dataclass(frozen=True)
class Service:
    """One definition, several places. Paths, hosts and ports in it are those of the place it was built for."""

    name: str
    image: str  # its name in the catalogue of images (lakehouse.runtimes.docker.images); empty: it has none
    packages: tuple[str, ...]  # names in the catalogue of packages
    command: tuple[str, ...]
    probe: Probe
    ports: tuple[Port, ...] = ()
    java: int | None = None  # the Java feature version the command runs on
    environment: tuple[tuple[str, str], ...] = ()
    files: tuple[File, ...] = ()
    data: tuple[str, ...] = ()  # folders that outlive the process, absolute paths
    directory: str = ""  # the working folder; empty: the configuration folder
    memory_mb: int = 512  # what the whole process may need: heap and the rest
    needs: tuple[str, ...] = ()  # services that must be ready before this one starts
    restarts_with: tuple[str, ...] = ()  # services whose new incarnation makes this one useless
    stop_seconds: int = 15  # between the signal to stop and SIGKILL
    # Of a store: its files as they make it refuse writes, for when the disk is full. None: no store; empty: it has no
    # such mode, so that it has to be stopped.
    reading: tuple[File, ...] | None = None
    # In a container, the image's own entry point is kept: it gets ``command`` without its first word, the program.
    keeps_entrypoint: bool = later(False)
    stop_signal: Literal["TERM", "INT"] = later("TERM")  # of a process; in a container its image says it
    forgets: tuple[str, ...] = later(())  # files removed before each start; the last part of a path may be a pattern
    unprivileged: bool = later(False)  # it does not run as root; its command enters a user namespace there

    @property
    def is_job(self) -> bool:
        """Whether it is run to its end, once."""
        return self.probe.kind == "end"

    @property
    def forgetting(self) -> str:
        """The shell command that removes what it ``forgets``; empty if that is nothing."""
        paths = (each.rpartition("/") for each in self.forgets)
        words = [f"{shlex.quote(folder)}/{name}" for folder, _, name in paths]
        return " ".join(("rm -f --", *words)) if words else ""


class Place(Protocol):
    """Where a service's things are, in the runtime that it is built for."""

    def package(self, name: str) -> str:
        """Folder or file of a package in the catalogue."""

    def java(self, feature: int) -> str:
        """The ``java`` executable of that feature version."""

    def config(self, service: str) -> str:
        """Folder in which the service's files are written."""

    def data(self, service: str) -> str:
        """Folder that outlives the service's process."""

    def host(self, service: str) -> str:
        """Name under which other services reach the service."""

    def bind(self) -> str:
        """The address a service listens on."""

    def port(self, name: str) -> int:
        """The number that a named port listens on."""

    def external(self, port: str) -> Address:
        """Where a named port answers a person and the bootstrap. It need not be this machine."""

    def secret(self, name: str) -> Secret:
        """A placeholder for a secret, for use in a :class:`File` alone."""

    def beside(self, path: str) -> Content:
        """A placeholder for the content of a file that lakehouse.yaml names, for use in a :class:`File` alone."""
