"""SeaweedFS: master, volume server, filer and S3 gateway in one process. https://github.com/seaweedfs/seaweedfs/wiki

Only the S3 port takes requests of people, and the port of its tables if a catalog is of kind s3tables: both only signed
ones. The others are for its own parts: they ask for a certificate, which nobody else has, over TLS both ways.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator

from lakehouse.kinds.store import ROLE, S3TABLES, StoreKind
from lakehouse.services.certificate import Certificate
from lakehouse.services.secrets import STORE
from lakehouse.services.service import HEALTH, LOOPBACK, NUMBERS, File, Numbers, Place, Port, Probe, Service, scheme
from lakehouse.spec import LocalStack
from lakehouse.spec.kinds import Capabilities, Further, Listener
from lakehouse.text import toml
from lakehouse.text.placeholders import Secret, Text, joined

NAME, PACKAGE = "seaweedfs", "seaweedfs-4.48"
TABLES = f"{NAME}-tables"  # the port of its Iceberg REST endpoint
METRICS = f"{NAME}-metrics"
_NUMBERS = (Numbers("/metrics"),)
# Beside its numbers it answers there what Go's tools ask a program, and has no option against that.
_GIVES = f"{NUMBERS}, with names of buckets and folders, its command line, profiles of it"
_CHAIN, _KEY, _AUTHORITY = _FILES = "certificate.pem", "key.pem", "authority.pem"
_HERE = "(key)"  # of a placeholder in a JSON text
TOKENS = Secret("seaweedfs-tokens")  # signs what its parts show each other
_SOCKETS = "/tmp"  # noqa: S108 - where its parts reach each other: it has no option for the folder
_OWN = "the lakehouse: it writes the command line"
_CLOSED = "the lakehouse: it says who may connect"
# The parts with a port of their own, each with a second one for gRPC.
_PARTS = (("master", 9333), ("volume", 9340), ("filer", 8888))
# The beginnings of the tokens' sections, each of which has a key of its own.
_TOKENS = ("jwt.signing", "jwt.signing.read", "jwt.filer_signing", "jwt.filer_signing.read")


def seaweedfs(place: Place, stack: LocalStack) -> Service:
    """The store: its state survives a restart, its settings are files."""
    port, s3_grpc = place.port(NAME), place.port(f"{NAME}-grpc")
    host, bind, data, config = place.host(NAME), place.bind(), place.data(NAME), place.config(NAME)
    certificate = Certificate.of(NAME, host, [place.external(NAME)] if place.secure else [])
    given = stack.secure is not None and stack.secure.is_given
    # What its own parts show each other: the user's authority signs certificates of others, too.
    inner_files = tuple(f"inner-{each}" for each in _FILES) if given else _FILES
    own = Certificate.inner(NAME, host)
    near = posixpath.relpath(data, config)  # the path of a unix socket has 107 bytes at most
    inner = [Port(f"{NAME}-{part}", place.port(f"{NAME}-{part}"), "https", gives="") for part, _ in _PARTS]
    tables = (
        [Port(TABLES, place.port(TABLES), label="Iceberg REST", path="/v1/config", gives="")]
        if _has_tables(stack)
        else []
    )
    grpc = [
        Port(f"{NAME}-{part}-grpc", place.port(f"{NAME}-{part}-grpc"), "tcp", gives="", tls=True) for part, _ in _PARTS
    ]
    numbers = [
        option
        for (part, _), http, rpc in zip(_PARTS, inner, grpc, strict=True)
        for option in (f"-{part}.port={http.number}", f"-{part}.port.grpc={rpc.number}")
    ]
    return Service(
        name=NAME,
        image=PACKAGE,
        stuck_when_full=True,  # its LevelDB repeats the first error of a write for ever
        packages=(PACKAGE,),
        command=(
            *(f"{place.package(PACKAGE)}/weed", "-logtostderr=true", "server"),
            *(f"-dir={data}", f"-ip={host}", f"-ip.bind={bind}", *numbers),
            *("-filer", f"-filer.localSocket={near}/filer.sock"),
            *("-s3", f"-s3.port={port}", f"-s3.port.grpc={s3_grpc}", f"-s3.localSocket={near}/s3.sock"),
            *(f"-s3.config={config}/s3.json", "-s3.iam.readOnly=false", "-s3.autoCreateBucket=false"),
            "-s3.allowDeleteBucketNotEmpty=false",  # by itself it deletes a bucket with all that is in it
            f"-s3.iam.config={config}/iam.json",
            # Of pages in a browser; by itself it takes all.
            f"-s3.allowedOrigins={scheme(place)}://{LOOPBACK}:{port}",
            # With a key and no further port, its port has TLS.
            *([f"-s3.cert.file={config}/{_CHAIN}", f"-s3.key.file={config}/{_KEY}"] if place.secure else []),
            # Catalogs of its own.
            *(f"-s3.port.iceberg={tables[0].number if tables else 0}", "-s3.port.lance=0"),
            # It elects itself after a restart, at once; by itself it would wait for others for 10 s.
            "-master.electionTimeout=1s",
            # By itself it reports its numbers to its makers.
            "-master.telemetry=false",
            "-master.volumeSizeLimitMB=1024",
            # Each bucket has up to seven files of that size at a time, which use only what is written to them. With 0,
            # the free gigabytes of the disk are the most that there may be, so a fifth bucket may find none left.
            "-volume.max=10000",
            "-volume.preStopSeconds=1",
            *([f"-metricsPort={place.port(METRICS)}", f"-metricsIp={bind}"] if stack.monitoring else []),
            f"-options={config}/options",
        ),
        files=(
            File("s3.json", _keys()),
            File("iam.json", _roles()),
            # A file that cannot be read is passed over in silence, and all doors stand open.
            File("security.toml", joined(list(_security(config, *inner_files)))),
            File(_CHAIN, certificate.chain),
            File(_KEY, certificate.key),
            File(_AUTHORITY, certificate.authority),
            *(map(File, inner_files, (own.chain, own.key, own.authority)) if given else ()),
            File("options", "".join(f"{key}={value}\n" for key, value in stack.store.properties.items())),
        ),
        environment=(("GOMEMLIMIT", "400MiB"),),
        data=(data,),
        ports=(
            Port(NAME, port, scheme(place), label="S3 endpoint", gives=HEALTH),
            Port(f"{NAME}-grpc", s3_grpc, "tcp", gives="", tls=True),
            *(port for both in zip(inner, grpc, strict=True) for port in both),
            *tables,
            *([Port(METRICS, place.port(METRICS), gives=_GIVES, numbers=_NUMBERS)] if stack.monitoring else []),
        ),
        probe=Probe(scheme(place), port, "/healthz", trust=_AUTHORITY if place.secure else ""),
        reading=(),
        memory_mb=512,
        # Its end takes 17 s: its parts wait for each other's open streams, for 15 s. What it has acknowledged is in its
        # files, so it is killed once requests that were under way have had the time to finish.
        stop_seconds=3,
        leaves=(
            f"{_SOCKETS}/{NAME}-s3-grpc-{s3_grpc}.sock",
            *(f"{_SOCKETS}/{each.name}-{each.number}.sock" for each in grpc),
        ),
    )


def _has_tables(stack: LocalStack) -> bool:
    return any(entry.kind == S3TABLES for entry in stack.catalogs.values())


def tables(place: Place) -> tuple[str, str]:
    """The addresses of its Iceberg REST endpoint."""
    return f"http://{place.host(NAME)}:{place.port(TABLES)}", f"http://{place.external(TABLES)}"


def _keys() -> Text:
    """The gateway's one identity: the owner of the store. What a secret may hold needs no escape in JSON."""
    credentials = ('{"accessKey": "', STORE.name, '", "secretKey": "', STORE.value, '"}')
    actions = json.dumps(["Admin", "Read", "Write", "List", "Tagging"])
    return joined(
        ['{"identities": [{"name": "lakehouse", "credentials": [', *credentials, f'], "actions": {actions}}}]}}']
    )


def _roles() -> Text:
    """A role that the owner may assume: its keys last an hour and can be narrowed to less by a policy.

    https://github.com/seaweedfs/seaweedfs/wiki/S3-API has the format.
    """
    everything = {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]}
    owner = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::000000000000:user/lakehouse"},
        "Action": ["sts:AssumeRole"],
    }
    rules = {
        "sts": {"tokenDuration": "1h", "issuer": NAME, "signingKey": _HERE},
        "policy": {"defaultEffect": "Deny", "storeType": "memory"},
        "policies": [{"name": "all", "document": {"Version": "2012-10-17", "Statement": [everything]}}],
        "roles": [
            {
                "roleName": ROLE.rpartition("/")[2],
                "roleArn": ROLE,
                "trustPolicy": {"Version": "2012-10-17", "Statement": [owner]},
                "attachedPolicies": ["all"],
            }
        ],
    }
    before, after = json.dumps(rules).split(_HERE)
    return joined([before, TOKENS, after])


def _security(config: str, chain: str, key: str, trusted: str) -> Iterator[Text]:
    """security.toml: certificates on both sides of every port but the gateway's, and signed tokens behind it."""
    own = f"cert = {toml.string(f'{config}/{chain}')}\nkey = {toml.string(f'{config}/{key}')}\n"
    authority = f"ca = {toml.string(f'{config}/{trusted}')}\n"
    for section in _TOKENS:
        yield from (f'[{section}]\nkey = "', TOKENS, '"\n')
    yield f"[filer.expose_directory_metadata]\nenabled = false\n[grpc]\n{authority}"
    for part in ("master", "volume", "filer", "s3", "client"):
        yield f"[grpc.{part}]\n{own}"
    for part, _ in _PARTS:
        yield f"[https.{part}]\n{own}{authority}"
    yield f"[https.client]\nenabled = true\n{own}{authority}"


SEAWEEDFS = StoreKind(
    word=NAME,
    label="SeaweedFS",
    on=("process", "docker", "hosts"),
    can=Capabilities(sts=True, policies=True, versioning=True, lifecycle=True, conditional_writes=True),
    users="iam",
    unsecured=None,
    listeners=(
        Listener(NAME, 8333, 8333, "object store, S3 API"),
        Listener(f"{NAME}-grpc", 18333, 18333, "its S3 gateway, for its own parts only"),
        *(
            listener
            for part, number in _PARTS
            for listener in (
                Listener(f"{NAME}-{part}", number, number, f"its {part}, for its own parts only"),
                Listener(f"{NAME}-{part}-grpc", number + 10000, number + 10000, f"its {part}, for its own parts only"),
            )
        ),
        Listener(METRICS, 9327, 9327, monitored=True),
        Listener(TABLES, 8181, 8181, "its tables: Iceberg REST, signed requests", catalog=S3TABLES),
    ),
    further=Further(
        "the options of `weed server`",
        key=r"(s3|filer|volume|master)\.[A-Za-z.]+",
        example="s3.cacheCapacityMB: 64",
        owned={
            "s3.config": "the lakehouse: clients have its keys",
            "s3.allowedOrigins": _OWN,
            "s3.autoCreateBucket": "the lakehouse: buckets are in the file",
            "s3.allowDeleteBucketNotEmpty": "the lakehouse: data is never deleted unseen",
            "s3.iam.*": _OWN,
            "s3.localSocket": _OWN,
            "filer.localSocket": _OWN,
            "master.telemetry*": "the lakehouse: nothing is sent behind your back",
            "s3.ip.bind": "the runtime",
            "s3.iam": _OWN,
            "s3.cert.file": _CLOSED,
            "s3.key.file": _CLOSED,
            "s3.cacert.file": _CLOSED,
            "s3.tlsVerifyClientCert": _CLOSED,
            "filer.allowedOrigins": _CLOSED,
            **{f"{part}.allowUntrustedRemoteEndpoints": _CLOSED for part in ("s3", "filer", "volume")},
            "master.dir": "the lakehouse: files are in its data folder",
            "volume.dir*": "the lakehouse: files are in its data folder",
            **{
                f"{part}.port*": "the runtime, and `ports` of the stack" for part in ("s3", "filer", "volume", "master")
            },
        },
    ),
    service=seaweedfs,
    tables=tables,
)
