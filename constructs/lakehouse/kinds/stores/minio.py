"""MinIO on one drive, with its console. https://docs.min.io/community/minio-object-store/reference/minio-server.html"""

from __future__ import annotations

from lakehouse.kinds.store import StoreKind
from lakehouse.services.certificate import Certificate
from lakehouse.services.secrets import STORE
from lakehouse.services.service import HEALTH, LOGIN_PAGE, NUMBERS, File, Numbers, Place, Port, Probe, Service, scheme
from lakehouse.spec import LocalStack
from lakehouse.spec.kinds import Capabilities, Enforcement, Further, Listener, Unsecured
from lakehouse.text.placeholders import Text, joined

NAME = "minio"
PACKAGE = "minio-2025-09-07"
_KEYS = "minio.env"
_NUMBERS = (Numbers("/minio/v2/metrics/cluster"),)
_CERTIFICATES = "certificates"  # its names for the files in it: https://docs.min.io/community/minio-object-store/operations/network-encryption.html
_CHAIN, _KEY = f"{_CERTIFICATES}/public.crt", f"{_CERTIFICATES}/private.key"
_AUTHORITY = f"{_CERTIFICATES}/CAs/authority.pem"


def minio(place: Place, stack: LocalStack) -> Service:
    """The store with versions, lifecycle rules, policies, users and STS."""
    return server(place, stack, NAME, PACKAGE, monitored=stack.monitoring is not None)


def server(
    place: Place,
    stack: LocalStack,
    name: str,
    package: str,
    *,
    options: tuple[str, ...] = (),
    files: tuple[File, ...] = (),
    monitored: bool = False,
) -> Service:
    """The command line that MinIO and AIStor share. If ``monitored``, it gives its metrics to everybody.

    The server reads its keys from a file. The environment only names that file and has no key.
    """
    port, console = place.port(name), place.port(f"{name}-console")
    own = Certificate.of(name, place.host(name), [place.external(name)])
    # With certificates, both ports have TLS.
    secured = (File(_CHAIN, own.chain), File(_KEY, own.key), File(_AUTHORITY, own.authority)) if place.secure else ()
    # A secure stack has accepted the second (`minio-keys`), so it is shown with its other exceptions.
    gives = f"{HEALTH}; also writes, by whoever knows an access key" if place.secure else HEALTH
    if monitored:  # only in an open stack
        gives = f"{NUMBERS}, with names of buckets"
    keys: dict[str, Text] = {
        "MINIO_ROOT_USER": STORE.name,
        "MINIO_ROOT_PASSWORD": STORE.value,
        # By itself it asks for a token that is made from its keys.
        **({"MINIO_PROMETHEUS_AUTH_TYPE": "public"} if monitored else {}),
        **stack.store.properties,
    }
    return Service(
        name=name,
        image=package,
        packages=(package,),
        command=(
            *(place.package(package), "server", "--quiet", *options),
            *(["--certs-dir", f"{place.config(name)}/{_CERTIFICATES}"] if place.secure else []),
            *("--address", f"{place.bind()}:{port}", "--console-address", f"{place.bind()}:{console}"),
            place.data(name),
        ),
        files=(
            File(_KEYS, joined([part for key, value in keys.items() for part in (f"{key}=", value, "\n")])),
            *secured,
            *files,
        ),
        environment=(
            ("MINIO_CONFIG_ENV_FILE", f"{place.config(name)}/{_KEYS}"),
            ("MINIO_UPDATE", "off"),  # it must not fetch anything by itself
            ("GOMEMLIMIT", "400MiB"),
        ),
        data=(place.data(name),),
        ports=(
            Port(name, port, scheme(place), label="S3 endpoint", gives=gives, numbers=_NUMBERS if monitored else ()),
            Port(f"{name}-console", console, scheme(place), label="Console of the store", gives=LOGIN_PAGE),
        ),
        probe=Probe(scheme(place), port, "/minio/health/ready", trust=_AUTHORITY if place.secure else ""),
        reading=(),
        memory_mb=512,
        renewal="HUP" if place.secure else "",
    )


def listeners(word: str) -> tuple[Listener, ...]:
    """The ports of a store with a console."""
    return (
        Listener(word, 9000, 9000, "object store, S3 API"),
        Listener(f"{word}-console", 9001, 9001, "the object store in a browser"),
    )


FURTHER = Further(
    _KEYS,
    key=r"MINIO_[A-Z0-9_]+",
    example="MINIO_API_REQUESTS_MAX: 400",
    owned={
        "MINIO_ROOT_*": "the lakehouse: clients have its keys",
        "MINIO_ACCESS_KEY": "the lakehouse: clients have its keys",
        "MINIO_SECRET_KEY": "the lakehouse: clients have its keys",
        "MINIO_CONFIG_ENV_FILE": "the lakehouse: it writes that file",
        "MINIO_UPDATE*": "the lakehouse: the store must not update itself",
        "MINIO_VOLUMES": "the lakehouse: files are in its data folder",
        "MINIO_ADDRESS": "the runtime, and `ports` of the stack",
        "MINIO_CONSOLE_ADDRESS": "the runtime, and `ports` of the stack",
        "MINIO_OPTS": "the lakehouse: it writes the command line",
    },
    forbidden={'"': "a quotation mark of the file", "'": "a quotation mark of the file"},
)
#: Its numbers for everybody, and others who say who may log in and what they may do.
SECURED = ("MINIO_PROMETHEUS_*", "MINIO_IDENTITY_*", "MINIO_POLICY_*")
MINIO = StoreKind(
    word=NAME,
    label="MinIO",
    can=Capabilities(sts=True, policies=True, versioning=True, lifecycle=True, conditional_writes=True),
    users="minio",
    unsecured=Unsecured("whoever knows an access key can write, without its secret", "minio-keys"),
    guard=Enforcement(
        "the files of each principal's grants, by a user of its own",
        "who knows an access key: MinIO lets them write as its user, without the secret",
    ),
    listeners=listeners(NAME),
    further=FURTHER,
    secured=SECURED,
    service=minio,
)
