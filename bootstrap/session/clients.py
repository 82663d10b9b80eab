"""Clients of a running lakehouse: Trino, Spark Connect, PyIceberg and the store.

Each first checks whether its server listens. The libraries are imported where they are used: some take a second.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bootstrap.remote import loopback, shell, trust
from bootstrap.session.target import Target
from bootstrap.session.trino_login import TrinoLogin, trino_login
from lakehouse.errors import UsageError
from lakehouse.kinds.engines import spark as spark_service
from lakehouse.kinds.engines.spark_secure import TLS
from lakehouse.text.placeholders import filled

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyspark.sql import SparkSession
    from trino.client import TrinoRequest
    from trino.dbapi import Connection

TOKEN = "_".join(("SPARK", "CONNECT", "AUTHENTICATE", "TOKEN"))  # the name of the variable, not a secret
# Seconds to connect and to answer: Trino answers each request within a second, however long the query runs.
_HTTP = (5.0, 30.0)


def trino(
    target: Target, catalog: str | None = None, *, seconds: float = 60, login: TrinoLogin | None = None
) -> Connection:
    """A connection to Trino for short questions: Trino ends a query after ``seconds``.

    ``catalog`` defaults to the first of the file, ``login`` to that of the toolkit's own clients.
    """
    from trino.dbapi import Connection

    at = target.address("trino", "engines.trino")
    loopback.spare(os.environ)
    login = login or trino_login(target)
    return Connection(
        host=at.host,
        port=at.port,
        user=login.user,
        catalog=catalog or next(iter(target.lakehouse.catalogs)),
        timezone="UTC",
        session_properties=_limit(seconds),
        request_timeout=_HTTP,
        **login.settings(),
    )


def trino_requests(target: Target, *, seconds: float | None = None) -> Callable[[], TrinoRequest]:
    """What makes a request for each statement of one session with Trino, which ends a statement after ``seconds``."""
    from trino.client import ClientSession, TrinoRequest

    at = target.address("trino", "engines.trino")
    loopback.spare(os.environ)
    login = trino_login(target)
    session = ClientSession(
        user=login.user,
        source="lakehouse",
        catalog=next(iter(target.lakehouse.catalogs)),
        timezone="UTC",
        properties=_limit(seconds),
    )
    settings = login.settings()
    return lambda: TrinoRequest(host=at.host, port=at.port, client_session=session, request_timeout=_HTTP, **settings)


def _limit(seconds: float | None) -> dict[str, str]:
    return {} if seconds is None else {"query_max_run_time": f"{seconds:g}s"}


def spark(target: Target) -> SparkSession:
    """A new session of Spark Connect."""
    session = _spark_again(target)
    # It writes each error to standard error too, as JSON with the server's stack; the caller reports it anyway.
    logging.getLogger("SQLQueryContextLogger").disabled = True
    return session


def _spark_again(target: Target, session_id: str = "") -> SparkSession:
    """A session of Spark Connect: that of this id, else a new one."""
    url = spark_url(target)
    client_of_the_line(target)
    _say_token(target)
    if session_id:
        url += f"{'' if '/;' in url else '/'};session_id={session_id}"
    return spark_session(url, target.local.place.trust)


def spark_session(url: str, trust: str = "") -> SparkSession:
    """A session at a Connect address, new unless the address names one.

    ``trust`` is the file of the certificate by which its server is trusted; empty: it has no TLS.
    """
    loopback.spare(os.environ)
    created: Any = _trusting(url, trust) if trust else _builder().remote(url).create()
    # When it ends, the client asks the server to empty a cache that only machine learning fills. If the server no
    # longer runs then, the client keeps asking for ten minutes.
    with suppress(AttributeError):  # clients before 4.1 have no such method
        atexit.unregister(created.client._cleanup_ml_cache)
    session: SparkSession = created
    return session


def _builder() -> Any:
    from pyspark.sql import SparkSession

    return SparkSession.builder


def _trusting(url: str, trust: str) -> Any:
    """A session with a server that has a certificate of the stack. gRPC reads its variable for that only once."""
    import grpc
    from pyspark.sql.connect.client import DefaultChannelBuilder
    from pyspark.sql.connect.session import SparkSession

    class Trusting(DefaultChannelBuilder):
        def toChannel(self) -> Any:  # noqa: N802 - the name is PySpark's
            trusted = grpc.ssl_channel_credentials(Path(trust).read_bytes())
            shown = grpc.access_token_call_credentials(self.token or "")
            return self._secure_channel(self.endpoint, grpc.composite_channel_credentials(trusted, shown))

    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"  # as the usual way to a session sets it, for PySpark's functions
    return SparkSession.builder.channelBuilder(Trusting(url)).create()


def end_spark(session: SparkSession) -> None:
    """End a session and its work. The client forgets it even if the server has ended it already.

    One that stays would be this process's active session, which PySpark asks for its settings.
    """
    try:
        session.interruptAll()
    finally:
        session.stop()


def end_former(target: Target, session_id: str) -> None:
    """End what runs in a former session, whose client was killed. It is not an error if it has ended by itself."""
    with suppress(Exception):
        end_spark(_spark_again(target, session_id))


def spark_url(target: Target) -> str:
    """The address of Spark Connect, once it listens."""
    at = target.address("spark-connect", "engines.spark with connect: true")
    return at.url("sc", TLS if target.local.place.secure else "")


def _asks(target: Target) -> bool:
    """Whether Spark Connect asks its clients for the token."""
    engine = target.lakehouse.engines.spark
    return engine is not None and engine.connect is not None and engine.connect.token


def _say_token(target: Target) -> None:
    """Put the token into the environment for the client: in an address it would get into messages and logs."""
    if _asks(target):
        os.environ[TOKEN] = target.local.state.secret(spark_service.TOKEN)
    else:
        os.environ.pop(TOKEN, None)  # with one, the client would require TLS


def client_of_the_line(target: Target) -> None:
    """Puts the client of an older Spark line first on the import path: the installed one is of the newest line."""
    from lakehouse import packages

    engine = target.lakehouse.engines.spark
    assert engine is not None
    from importlib.metadata import version

    if not version("pyspark-client").startswith(f"{engine.version}."):
        python = packages.location(f"spark-{engine.version}") / "python"
        # The clients of Spark 3.5 and 4.0 import py4j too, which Spark has in an archive.
        for each in (*map(str, python.glob("lib/py4j-*.zip")), str(python)):
            if each not in sys.path:
                sys.path.insert(0, each)


def iceberg(target: Target, name: str, **instead: str) -> Catalog:
    """PyIceberg's client of a catalog. ``instead`` are settings that replace the toolkit's own, as a credential."""
    if target.in_aws:
        from bootstrap.session.aws import iceberg as in_glue

        return in_glue(target.lakehouse, target.stack, name)
    endpoint = next(each for each in target.local.endpoints.catalogs if each.name == name)
    if endpoint.service:
        target.address(endpoint.service, f"catalogs.{name}")
    target.address(endpoint.store.service, "store")
    from pyiceberg.catalog import load_catalog

    loopback.spare(os.environ)
    if endpoint.kind.account(endpoint) is not None:
        shell.without_aws(os.environ)
    secret = target.local.state.secret
    settings = endpoint.kind.for_pyiceberg
    if settings is None:
        raise UsageError(
            f"{target.path.name}: catalogs.{name} is of kind {endpoint.kind.word}, which PyIceberg cannot use."
        )
    found: dict[str, Any] = {key: filled(value, secret) for key, value in settings(endpoint).items()}
    found |= trust.of_store(endpoint.store.trust)
    if endpoint.trust:
        found["ssl"] = {"cabundle": endpoint.trust}
        shell.without_bundles(os.environ)
    if endpoint.kind.signs:
        from bootstrap.remote.s3 import session

        found["botocore_session"] = session()  # else it would look for the shell's profile
    return load_catalog(name, **{**found, **instead})


def s3(target: Target) -> Any:
    """boto3's client of the store."""
    if target.in_aws:
        from bootstrap.session import aws

        return aws.client("s3", target.region)
    target.address(target.local.endpoints.store.service, "store")
    from bootstrap.remote.s3 import client
    from bootstrap.session.connect import store

    return client(store(target.local))
