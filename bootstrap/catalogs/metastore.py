"""Connections to a Hive metastore, the locks of its tables, and the types of its failures.

https://github.com/apache/hive/blob/rel/release-3.1.3/standalone-metastore/src/main/thrift/hive_metastore.thrift
"""

from __future__ import annotations

import logging
import os
import re
import socket
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any
from urllib.parse import urlsplit

import psutil

from bootstrap.remote.errors import (
    Conflict,
    Exists,
    Missing,
    Refused,
    RemoteError,
    Throttled,
    UnknownState,
    Unreachable,
    first_line,
)

_AGENT = "lakehouse"  # the holder of a lock, with its pid and the pid's namespace
_OURS = re.compile(rf"{_AGENT} (?P<pid>[0-9]{{1,9}}) (?P<namespace>.*)")
_FIRST, _LONGEST = 0.02, 1.0  # seconds between two checks of a lock


class Metastore:
    """A metastore at ``uri`` (``thrift://HOST:PORT``), with one connection for each thread."""

    def __init__(self, uri: str, patience: float) -> None:
        self.address, self._patience = uri, patience
        self._idle: LifoQueue[Any] = LifoQueue()
        weakref.finalize(self, _close, self._idle)
        # It writes each refused connection to standard error; the caller reports it anyway.
        logging.getLogger("thrift").addHandler(logging.NullHandler())

    @contextmanager
    def asked(self, what: str) -> Iterator[Any]:
        """A client with the metastore's calls. Every failure gets its type and a message that begins with ``what``."""
        client = self._client()
        transport = client._iprot.trans
        fit = False
        try:
            with typed(what, self.address):
                if not transport.isOpen():
                    _open(transport, what, self.address)
                try:
                    yield client
                except Exception as error:
                    fit = _is_answer(error)
                    raise
            fit = True
        finally:
            if fit:
                self._idle.put(client)
            else:
                transport.close()

    @contextmanager
    def locked(self, client: Any, what: str, database: str, table: str) -> Iterator[Callable[[], None]]:
        """The exclusive lock of a table, which every client takes for a commit.

        Yields a function that renews the lock, for the moment before the write: it raises Conflict if the metastore
        released the lock because the work took too long.

        Raises Throttled if somebody else holds it for longer than a request may take. If a lock's owner died, the
        metastore releases the lock after five minutes, and this method at once if the owner was a process of the
        lakehouse on this machine.
        """
        from hive_metastore.ttypes import CheckLockRequest, HeartbeatRequest, LockState

        answer = client.lock(_request(database, table))
        lock, until, pause = answer.lockid, time.monotonic() + self._patience, _FIRST
        try:
            while answer.state == LockState.WAITING:
                if time.monotonic() > until:
                    raise Throttled(f"{what}: somebody else holds its lock in the metastore")
                time.sleep(pause)
                pause = min(pause * 2, _LONGEST)
                if pause > _LONGEST / 2:
                    _free_of_the_dead(client, database, table)
                answer = client.check_lock(CheckLockRequest(lockid=lock))
            if answer.state != LockState.ACQUIRED:
                raise Conflict(f"{what}: the metastore released its lock")
            with typed(what, self.address):  # Python cannot pass the metastore's own exceptions through this
                yield lambda: client.heartbeat(HeartbeatRequest(lockid=lock))
        finally:
            self._unlock(what, lock)

    def _unlock(self, what: str, lock: int) -> None:
        """Release a lock over a separate connection, because the other one may be the reason of the failure."""
        from hive_metastore.ttypes import UnlockRequest

        with suppress(RemoteError), self.asked(what) as client:
            client.unlock(UnlockRequest(lockid=lock))

    def _client(self) -> Any:
        try:
            return self._idle.get_nowait()
        except Empty:
            pass
        from hive_metastore.ThriftHiveMetastore import Client
        from thrift.protocol.TBinaryProtocol import TBinaryProtocolAccelerated
        from thrift.transport.TSocket import TSocket
        from thrift.transport.TTransport import TBufferedTransport

        at = urlsplit(self.address)
        connection = TSocket(at.hostname, at.port)
        connection.setTimeout(self._patience * 1000)
        return Client(TBinaryProtocolAccelerated(TBufferedTransport(connection)))


def _close(idle: LifoQueue[Any]) -> None:
    """Close the connections, which are no longer used."""
    while not idle.empty():
        idle.get_nowait()._iprot.trans.close()


def _open(transport: Any, what: str, address: str) -> None:
    from thrift.transport.TTransport import TTransportException

    transport.close()  # what is left of a connection that the other side has closed
    try:
        transport.open()
    except TTransportException as error:
        raise Unreachable(what, address, type(error.inner or error).__name__) from None


def _request(database: str, table: str) -> Any:
    from hive_metastore.ttypes import LockComponent, LockLevel, LockRequest, LockType

    part = LockComponent(LockType.EXCLUSIVE, LockLevel.TABLE, database, table, isTransactional=True)
    agent = f"{_AGENT} {os.getpid()} {_namespace()}"
    return LockRequest(component=[part], user=_AGENT, hostname=socket.gethostname(), agentInfo=agent)


def _namespace() -> str:
    """The namespace of this process's pid, as a container has its own; empty if the system has none."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _free_of_the_dead(client: Any, database: str, table: str) -> None:
    """Release the locks of ended lakehouse processes that ran on this machine."""
    from hive_metastore.ttypes import ShowLocksRequest, UnlockRequest

    here = (socket.gethostname(), _namespace())
    for each in client.show_locks(ShowLocksRequest(dbname=database, tablename=table)).locks:
        agent = _OURS.fullmatch(each.agentInfo or "")
        if agent is None or (each.hostname, agent["namespace"]) != here:
            continue
        if not psutil.pid_exists(int(agent["pid"])):
            client.unlock(UnlockRequest(lockid=each.lockid))


def _is_answer(error: Exception) -> bool:
    """Whether the connection can still be used."""
    from thrift.Thrift import TException
    from thrift.transport.TTransport import TTransportException

    if isinstance(error, RemoteError):
        return not isinstance(error, UnknownState)
    return isinstance(error, TException) and not isinstance(error, TTransportException)


@contextmanager
def typed(what: str, address: str) -> Iterator[None]:
    """Turn every failure of the metastore into an error of :mod:`bootstrap.remote.errors`."""
    from hive_metastore import ttypes as hive
    from thrift.Thrift import TException
    from thrift.transport.TTransport import TTransportException

    try:
        yield
    except hive.AlreadyExistsException as error:
        raise Exists(f"{what}: {_said(error)}") from None
    except (hive.NoSuchObjectException, hive.UnknownDBException, hive.UnknownTableException) as error:
        raise Missing(f"{what}: {_said(error)}") from None
    except (hive.NoSuchLockException, hive.TxnAbortedException) as error:
        raise Conflict(f"{what}: the metastore released its lock ({_said(error)})") from None
    except (hive.InvalidObjectException, hive.InvalidOperationException, hive.InvalidInputException) as error:
        raise Refused(f"{what}: {_said(error)}") from None
    except TTransportException as error:
        raise UnknownState(f"{what}: no answer from {address} ({_said(error)})") from None
    except TException as error:  # a failure of the server itself: of its database or the store
        raise UnknownState(f"{what}: {_said(error)}") from None
    except OSError as error:
        raise UnknownState(f"{what}: no answer from {address} ({type(error).__name__})") from None


def _said(error: Exception) -> str:
    return str(getattr(error, "message", None) or first_line(error))
