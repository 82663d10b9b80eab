"""What a secure stack adds to Spark: a secret that all its parts know, and logins at its pages and at Connect.

Whoever has the secret of the cluster or Connect's token runs code as the service, with its keys and files.

https://spark.apache.org/docs/latest/security.html
"""

from __future__ import annotations

from collections.abc import Iterator

from lakehouse.kinds.platform import proxy
from lakehouse.kinds.platform.proxy import Route
from lakehouse.services import jvm
from lakehouse.services.service import Place, Port
from lakehouse.spec.model import Lakehouse
from lakehouse.spec.ports import plain
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.text.placeholders import Secret, Signed, Text, joined

LINE = "4.1"  # the only one whose pages were seen to ask for a login
MASTER, CONNECT = "spark-master", "spark-connect"
TLS = "/;use_ssl=true"  # the end of Connect's address

_CLUSTER = Secret("spark-cluster")
_PAGES = Secret("spark-pages", barred="!#$%&()*+,-./:;<>?@[]^_`{|}~")  # read as base64
_FILTER = "org.apache.spark.ui.JWSFilter"
#: Properties that would open again what these settings close, show their secrets, or open a port: `spark.ssl` has ports
#: of its own for the pages, and a driver may listen on any address. With links that end jobs, a page of another site
#: ends them in a browser that knows the password.
SECURED = (
    *("spark.authenticate*", "spark.network.crypto.*", "spark.ssl.*", "spark.driver.bindAddress"),
    *("spark.ui.filters", f"spark.{_FILTER}.*", "spark.redaction.*", "spark.sql.redaction.*"),
    "spark.ui.killEnabled",
)


def settings(place: Place) -> dict[str, Text]:
    """Those of the master, the workers and every driver. Workers give executors the secret in their environment."""
    if not place.secure:
        return {}
    return {
        "spark.authenticate": "true",
        "spark.authenticate.secret": _CLUSTER,
        "spark.network.crypto.enabled": "true",
        "spark.network.crypto.saslFallback": "false",
        "spark.ui.filters": _FILTER,
        # As `Signed` has it.
        f"spark.{_FILTER}.param.secretKey": joined([_PAGES, _PAGES]),
    }


def redacted(place: Place) -> str:
    """More keys of settings whose values nobody is shown, as an end of a pattern."""
    return "|authorization" if place.secure else ""


def environment(place: Place, name: str) -> tuple[tuple[str, str], ...]:
    """What a worker's executors inherit, so that they trust the stack. Java reads it wherever an executor starts."""
    options, _ = jvm.trust(place, name)
    return (("JDK_JAVA_OPTIONS", jvm.variable(options)),) if options else ()


def port(place: Place, name: str, asked: Port) -> Port:
    """The port of a service. In a secure stack the proxy has it, and the service has the plain one behind it."""
    if not place.secure:
        return asked
    return Port(plain(name), place.port(plain(name)), "tcp", gives="", inner=True)


def shown(place: Place) -> Text:
    """What a page's client shows it, if the stack is secure."""
    return joined(["Bearer ", Signed(_PAGES)]) if place.secure else ""


def bind(place: Place, name: str) -> str:
    """The address on which a service has its page, or Connect. In a secure stack only the proxy reaches it."""
    return place.behind(name).bind if place.secure else place.bind()


def routes(place: Place, lakehouse: Lakehouse) -> Iterator[Route]:
    """The ways through the proxy: to Connect, and to the pages."""
    engine = lakehouse.engines.spark
    if engine is None:
        return
    pages = {MASTER: "Spark master UI"} if engine.cluster else {}
    pages |= {f"spark-worker-{nth}": f"Spark worker {nth} UI" for nth in range(1, engine.clustered + 1)}
    if engine.connect is not None:
        label = "Spark Connect"
        listening = Port(CONNECT, place.port(CONNECT), "sc", label, TLS, gives="", tls=True)
        yield Route(listening, CONNECT, proxy.token(CONNECT), grpc=True)
        pages[CONNECT] = "Spark jobs UI"
    for name, label in pages.items():
        page = Port(f"{name}-ui", place.port(f"{name}-ui"), "https", label, gives="")
        yield Route(page, name, shows=shown(place))


def check(lakehouse: Lakehouse) -> Iterator[Problem]:
    """What the entry cannot have in a secure stack."""
    spark = lakehouse.engines.spark
    if spark is None:
        return
    at: KeyPath = ("engines", "spark")
    if spark.version != LINE:
        why = f"Spark {spark.version} has no login at its pages"
        yield Problem((*at, "version"), f'{why}, but a stack is `secure`. Write "{LINE}"')
    if spark.connect is not None and not spark.connect.token:
        message = "Spark Connect asks nobody for a token, but a stack is `secure`. Write connect: {token: true}"
        yield Problem((*at, "connect"), message)
    if spark.history:
        why = "its page shows SQL to everybody, and was not tried behind the proxy"
        yield Problem((*at, "history"), f"a stack is `secure`, and the history server is not: {why}. Remove it")
    if spark.thrift:
        why = "its Thrift server's logins need LDAP or Kerberos, which no stack runs"
        yield Problem((*at, "thrift"), f"a stack is `secure`, and Spark cannot offer this: {why}. Remove it")
