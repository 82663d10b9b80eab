"""What is tried at each port, and whether it works: the facts behind docs/security.md.

A kind with a port that is not here fails the tests: somebody has to try it first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from lakehouse.spec.kinds import KindRules, known

FOREIGN = "evil.example"  # the site of a page that means harm
ANYBODY, PAGE, REBOUND = "anybody", "page", "rebound"
#: Who asks without a login, as docs/security.md names them.
WHO = {
    ANYBODY: "another user of this machine",
    PAGE: "a web page of another site",
    REBOUND: "a web page whose name leads to this machine (DNS rebinding)",
}


@dataclass(frozen=True)
class Ask:
    """A request without a login, and whether it is answered in an open stack and in a secure one.

    ``does`` says what the answer would show or change, as part of a sentence. ``page`` is whether a page of another
    site can do it too, in an open stack, by what browsers send without asking the server first.
    """

    does: str
    open: bool
    secure: bool
    speaks: str = "http"
    method: str = "GET"
    path: str = "/"
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    page: bool = False
    named: bool = False  # the server looks at the name by which it was asked

    @property
    def changes(self) -> bool:
        """Whether it would change something: a page of another site sees no answers, so only that helps it."""
        return self.speaks == "http" and self.method != "GET"

    def by(self, who: str, port: int) -> Ask:
        """The request as it comes from there, and whether it is answered."""
        foreign = f"http://{FOREIGN}:{port}"
        if who == REBOUND:  # it is of the same site for the browser, so it may have every header
            headers = {"Host": f"{FOREIGN}:{port}", "Origin": foreign, **self.headers}
            known = not self.named
            return replace(self, headers=headers, open=self.open and known, secure=self.secure and known)
        if who == PAGE:
            plain = {"Origin": foreign, "Content-Type": "text/plain"}
            return replace(self, headers=plain, open=self.page, secure=False)
        return self


_JSON = {"Content-Type": "application/json"}
_HEALTH = "whether it is up"
_METRICS = "its numbers"


def _page(does: str, path: str, *, secure: bool = False) -> Ask:
    return Ask(does, open=True, secure=secure, path=path)


_S3 = Ask("the list of buckets", open=False, secure=False)
_RPC = Ask("messages to its processes, such as jobs with code", open=True, secure=False, speaks="spark")
_UI = (
    _page("applications and executors", "/json/"),
    Ask(
        "the end of an application", open=False, secure=False, method="POST", path="/app/kill/?id=app-1&terminate=true"
    ),
)
_CONSOLE = Ask("the console's own calls", open=False, secure=False, path="/api/v1/session")
_INNER = Ask("its inner calls", open=False, secure=False)
_NAMESPACE = '{"namespace": ["%s"], "properties": {}}'
_ICEBERG = (
    replace(_page("names of namespaces", "/v1/namespaces"), named=True),
    Ask(
        "a new namespace", open=True, secure=False, method="POST", path="/v1/namespaces", headers=_JSON,
        body=_NAMESPACE % "bronze", named=True,
    ),
)  # fmt: skip

#: By the name of the port. Those of further catalogs and workers are as the first's.
ASKS: Mapping[str, tuple[Ask, ...]] = {
    "s3proxy": (_S3,),
    "seaweedfs": (_S3, _page(_HEALTH, "/healthz", secure=True)),
    "seaweedfs-tables": (Ask("names of namespaces", open=False, secure=False, path="/v1/lake/namespaces"),),
    **{f"seaweedfs-{part}": (_INNER,) for part in ("master", "volume", "filer")},
    **{f"seaweedfs-{part}grpc": (replace(_INNER, speaks="grpc"),) for part in ("", "master-", "volume-", "filer-")},
    "seaweedfs-metrics": (_page(_METRICS, "/metrics"),),
    "minio": (_S3, _page(_HEALTH, "/minio/health/ready", secure=True)),
    "minio-console": (_page("the page to log in", "/", secure=True), _CONSOLE),
    "rustfs": (_S3, _page(_HEALTH, "/health/ready", secure=True)),
    "rustfs-console": (_page("the page to log in", "/rustfs/console/", secure=True),),
    "nessie": (
        _page("its version", "/api/v2/config", secure=True),
        _page("names of namespaces", "/iceberg/v1/main/namespaces"),
        Ask(
            "a new branch", open=True, secure=False, method="POST", path="/api/v2/trees?name=main&type=BRANCH",
            body='{"type": "BRANCH", "name": "main", "hash": null}', headers=_JSON,
        ),
    ),
    "nessie-management": (_page(_HEALTH, "/q/health"), _page(_METRICS, "/q/metrics")),
    "rest": _ICEBERG,
    # Behind the proxy of a secure stack. What else is there, is as its own port.
    "rest-plain": (replace(_page("which requests it knows", "/v1/config", secure=True), named=True), *_ICEBERG),
    "polaris": (
        Ask("names of catalogs", open=False, secure=False, path="/api/management/v1/catalogs"),
        Ask("a catalog's settings", open=False, secure=False, path="/api/catalog/v1/config?warehouse=lake"),
        Ask(
            "a new principal", open=False, secure=False, method="POST", path="/api/management/v1/principals",
            headers=_JSON, body='{"principal": {"name": "evil"}}',
        ),
    ),
    "polaris-management": (_page(_HEALTH, "/q/health", secure=True),),
    "hive": (Ask("names of databases", open=True, secure=False, speaks="thrift", path="get_all_databases"),),
    "postgres": (Ask("a session", open=False, secure=False, speaks="postgres"),),
    **dict.fromkeys(
        ("kafka", "kafka-inner"),
        (Ask("messages of all topics, and changes of them", open=True, secure=False, speaks="kafka"),),
    ),
    "kafka-controller": (
        Ask("settings of the broker and of topics", open=True, secure=False, speaks="kafka-controller"),
    ),
    **dict.fromkeys(("kafka-metrics", "connect-metrics"), (_page(_METRICS, "/metrics"),)),
    "connect": (
        _page("pipelines and their settings", "/connectors"),
        Ask(
            "a new pipeline", open=True, secure=False, method="POST", path="/connectors", headers=_JSON,
            body='{"name": "evil", "config": {}}',
        ),
    ),
    "seatunnel": (
        replace(_page("pipelines and their state", "/pipelines"), named=True),
        Ask(
            "the end of a pipeline", open=True, secure=False, method="POST", path="/pipelines/orders/stop",
            headers=_JSON, body="{}", named=True,
        ),
    ),
    "seatunnel-cluster": (
        Ask("jobs with code, as a member of its cluster", open=True, secure=False, speaks="hazelcast"),
        Ask("SeaTunnel's own REST API", open=False, secure=False, path="/hazelcast/rest/maps/running-jobs"),
    ),
    "trino": (
        _page("its version", "/v1/info", secure=True),
        _page("its memory and load", "/v1/status", secure=True),
        _page("the page to log in", "/ui/login.html", secure=True),
        Ask(
            "queries", open=True, secure=False, method="POST", path="/v1/statement", body="SELECT 1",
            headers={"X-Trino-User": "anybody"},
        ),
    ),
    "trino-worker-{}": (
        _page("its version", "/v1/info", secure=True),
        _page("its memory and load", "/v1/status", secure=True),
        Ask("its numbers", open=True, secure=False, path="/metrics", headers={"X-Trino-User": "anybody"}),
        Ask(
            "queries", open=False, secure=False, method="POST", path="/v1/statement", body="SELECT 1",
            headers={"X-Trino-User": "anybody"},
        ),
        Ask("parts of queries", open=False, secure=False, path="/v1/task", headers={"X-Trino-User": "anybody"}),
        Ask(
            "its end", open=False, secure=False, method="PUT", path="/v1/info/state", body='"SHUTTING_DOWN"',
            headers={"X-Trino-User": "anybody", **_JSON},
        ),
    ),
    "spark-master": (_RPC,),
    "spark-master-ui": _UI,
    "spark-worker-{}": (_RPC,),
    "spark-worker-{}-ui": (_page("executors and their logs", "/json/"),),
    "spark-connect": (Ask("SQL and code", open=True, secure=False, speaks="connect"),),
    "spark-connect-ui": (
        _page("jobs, SQL and settings", "/api/v1/applications"),
        Ask("the end of a job", open=False, secure=False, method="POST", path="/jobs/job/kill/?id=1"),
    ),
    "lineage": (
        _page(_HEALTH, "/health"),
        _page(_METRICS, "/metrics"),
        Ask("an event", open=False, secure=False, method="POST", path="/api/v1/lineage", headers=_JSON, body="{}"),
    ),
    "spark-history": (_page("applications that ended", "/api/v1/applications"),),
    "spark-thrift": (Ask("SQL and code", open=True, secure=False, speaks="hive"),),
}  # fmt: skip
#: At the ports that a service chooses itself, by its name. None may speak HTTP: a page could find the port by trying.
CHOSEN = (
    _RPC,
    Ask("what it may be", open=False, secure=False, method="POST", path="/v1/submissions/create", body="{}"),
)


def named() -> Iterator[tuple[KindRules, str]]:
    """Every kind that runs on this machine, with the name of each of its ports."""
    kinds = known()
    for registry in (kinds.stores, kinds.catalogs, kinds.engines, kinds.platform, kinds.pipelines, kinds.lineage):
        for kind in registry.values():
            yield from ((kind, each.name) for each in kind.listeners)


def table() -> Iterator[str]:
    """What works, as docs/security.md shows it."""
    yield "| kind | port | open stack: another user | a web page | DNS rebinding | secure stack: anybody |"
    yield "|---|---|---|---|---|---|"
    for kind, name in named():
        tried = ASKS.get(name, ())
        cells = (
            [each for each in tried if each.open],
            [each for each in tried if each.page],
            [each for each in tried if each.open and each.speaks == "http" and not each.named],
            [each for each in tried if each.secure],
        )
        if tried:
            shown = (" and ".join(each.does for each in of) or "nothing" for of in cells)
            yield f"| {kind.label} | `{name.replace('{}', 'N')}` | {' | '.join(shown)} |"
