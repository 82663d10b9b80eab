"""What is observed on this machine and over HTTP: thin, decides nothing, changes nothing."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import urllib3
from botocore.exceptions import BotoCoreError, ClientError
from urllib3 import exceptions

from bootstrap.doctor import logs
from bootstrap.doctor.machine import Folder
from bootstrap.doctor.store import Answer
from bootstrap.remote.s3 import client
from bootstrap.session import connect
from bootstrap.session.target import Target
from lakehouse import toolkit
from lakehouse.errors import LakehouseError
from lakehouse.kinds.needed import Needed, needed
from lakehouse.packages import cdktf_cli, is_present, java, missing
from lakehouse.runtimes import credentials, owner
from lakehouse.runtimes.certificates import is_given
from lakehouse.runtimes.endings import Lifetime
from lakehouse.runtimes.endings import endings as ends
from lakehouse.runtimes.local import Local
from lakehouse.runtimes.memory import machine
from lakehouse.runtimes.state import State
from lakehouse.services.service import Service
from lakehouse.spec import Lakehouse
from lakehouse.text import placeholders

if TYPE_CHECKING:
    from bootstrap.catalogs.metrics import TableMetrics

_MEASURED = 1000  # tables of a catalog whose files are looked at: three requests each
_LINES = 80  # of a log
_PATIENCE = 5.0  # seconds for one answer
_KEYS = ("store-access-key", "store-secret-key")


def endings(local: Local) -> Mapping[str, Lifetime]:
    """The lifetimes of certificates and keys of tokens; none if they cannot be read."""
    try:
        return ends(local.state, local.everything)
    except (LakehouseError, OSError, ValueError):  # such as a folder of another user: a check of its own says so
        return {}


def given(local: Local) -> frozenset[str]:
    """The names of the certificates that are the user's, if the stack's user gives one."""
    known = credentials.known(local.everything).items()
    return frozenset(name for name, each in known if each.certificate is not None and is_given(each.certificate))


def node_version() -> str | None:
    """The version of the Node that runs cdktf; None if there is none or it does not answer."""
    node = toolkit.node()
    return (_output([str(node), "--version"]) or "").strip() or None if node else None


def cdktf_is_there() -> bool:
    return cdktf_cli.script().is_file()


def _output(command: Sequence[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None


def needs(lakehouse: Lakehouse, stack: str) -> Needed:
    """Packages and Java versions of one stack."""
    return needed(lakehouse.model_copy(update={"stacks": {stack: lakehouse.stacks[stack]}}))


def missing_packages(names: Sequence[str]) -> list[str]:
    return [name for name in names if not is_present(name)]


def damaged_packages(names: Sequence[str]) -> list[str]:
    """A sentence for each package that has changed since it was fetched; every file of them is read."""
    return [why for name in names if is_present(name) for why in missing(name, contents=True)[:1]]


def missing_java(features: Sequence[int]) -> list[int]:
    missing = []
    for feature in features:
        try:
            java(feature)
        except LakehouseError:
            missing.append(feature)
    return missing


def memory() -> tuple[int, int]:
    """Total and available MiB: of this machine, or the limit of the container that this runs in."""
    return machine()


def another(local: Local) -> str:
    """Why the state folder does not belong to this file, as text; empty if it does, or is free."""
    try:
        return owner.refusal(local.state, local.claim)
    except LakehouseError as problem:  # a damaged mark
        return str(problem)


def state_folder(path: Path) -> Folder:
    try:
        seen = path.stat()
    except FileNotFoundError:
        return Folder(path, there=False)
    mine = seen.st_uid == os.getuid() or os.getuid() == 0
    return Folder(path, True, mine, os.access(path, os.W_OK | os.X_OK), seen.st_mode & 0o777)


def log(local: Local, service: str) -> list[str]:
    """The end of a service's log, without lines that only name a request; nothing if it has none."""
    try:
        lines = local.runtime.log(service, 10 * _LINES).splitlines()
    except LakehouseError:
        return []
    return [each for each in lines if not logs.is_request(each)][-_LINES:]


def resolves(host: str) -> bool | None:
    """Whether this machine knows the name; None if no name server answered in time."""
    pool = ThreadPoolExecutor(1)
    try:
        pool.submit(socket.getaddrinfo, host, None).result(_PATIENCE)
    except NotInTime:
        return None
    except (OSError, UnicodeError):
        return False
    finally:
        pool.shutdown(wait=False)
    return True


def ask(url: str, proof: Mapping[str, str] | None = None, *, trust: str = "") -> Answer:
    """One GET without the shell's proxy, and without keys if there is no ``proof`` of who asks.

    ``trust`` is the file of an authority's certificate; empty: the system's.
    """
    with urllib3.PoolManager(retries=False, timeout=_PATIENCE, ca_certs=trust or None) as pool:
        try:
            headers = {"Accept": "application/json, application/xml", **(proof or {})}
            answer = pool.request("GET", url, headers=headers, redirect=False)
        except exceptions.NameResolutionError:
            return Answer(unresolved=True, reason="the name does not resolve")
        except (exceptions.HTTPError, OSError) as error:
            return Answer(reason=_reason(error))
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Answer(answer.status, headers, answer.data[:65536].decode(errors="replace"))


def _reason(error: Exception) -> str:
    if isinstance(error, exceptions.NewConnectionError):
        return "connection refused"
    if isinstance(error, exceptions.TimeoutError):
        return f"silent for {_PATIENCE:.0f} s"
    return type(error).__name__


def missing_secrets(state: State, names: Sequence[str] = _KEYS) -> list[str]:
    """The names that are not in the state folder. It does not ask State for them, which would make new ones."""
    return [name for name in names if not state.kept(name).is_file()]


def further_secrets(services: Sequence[Service]) -> list[str]:
    """The secrets in services' files, without the store's keys."""
    found = (each.secret for service in services for file in service.files for each in placeholders.secrets(file.text))
    return [name for name in dict.fromkeys(found) if name not in _KEYS]


def access_key(state: State) -> str:
    """The key's name, which is not a secret; empty if there is none."""
    try:
        return state.kept(_KEYS[0]).read_text()
    except OSError:
        return ""


def listed_buckets(local: Local) -> tuple[list[str], str]:
    """The store's buckets, and its message if it refused."""
    s3 = client(connect.store(local), patience=_PATIENCE)
    try:
        return [each["Name"] for each in s3.list_buckets().get("Buckets", [])], ""
    except ClientError as error:
        return [], str(error.response.get("Error", {}).get("Code") or "refused")
    except BotoCoreError as error:
        raise LakehouseError(str(error)) from error


def measured(target: Target) -> tuple[list[TableMetrics], dict[str, str], int]:
    """The metrics of tables that have rows, why others could not be read, and how many were not looked at."""
    from bootstrap.catalogs.metrics import TableReader

    lakehouse, connections = connect.connect(target.path, target.stack)
    found, unreadable, left_out = [], {}, 0
    for catalog in lakehouse.catalogs:
        reader = TableReader(catalog, replace(connections, patience=2 * _PATIENCE))
        with_rows = [(name, head) for name, head in reader.names().items() if head.snapshot is not None]
        left_out += len(with_rows[_MEASURED:])
        for name, each in reader.read_all(dict(with_rows[:_MEASURED])):
            if isinstance(each, LakehouseError):
                unreadable[f"{catalog}.{name}"] = str(each)
            else:
                found.append(each.metrics)
    return found, unreadable, left_out


def written_otherwise(services: Sequence[Service], state: State, names: Sequence[str] = _KEYS) -> list[str]:
    """Services whose configuration on disk has other secrets than the current ones: they were started with those."""
    return [each.name for each in services if _differs(each, state, names)]


def _differs(service: Service, state: State, names: Sequence[str]) -> bool:
    for file in service.files:
        own = placeholders.parts(file.text)
        plain = [each.secret for each in own if isinstance(each, placeholders.Secret) and each.secret in names]
        hashed = [each.bcrypt.secret for each in own if isinstance(each, placeholders.Hashed)]
        hashed = [each for each in hashed if each in names]
        if plain or hashed:
            try:
                written = (state.config(service.name) / file.path).read_text()
            except OSError:
                continue  # not started yet, or not ours to read
            if any(state.secret(name) not in written for name in plain):
                return True
            if any(not placeholders.has_hash(written, state.secret(name)) for name in hashed):
                return True
    return False
