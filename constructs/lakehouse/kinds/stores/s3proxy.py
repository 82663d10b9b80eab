"""S3Proxy: the object store for machines where nothing can be installed. https://github.com/gaul/s3proxy"""

from __future__ import annotations

from lakehouse.kinds.store import StoreKind
from lakehouse.services import jvm
from lakehouse.services.certificate import Certificate
from lakehouse.services.secrets import STORE
from lakehouse.services.service import File, Place, Port, Probe, Service, scheme
from lakehouse.spec import LocalStack
from lakehouse.spec.kinds import Capabilities, Feature, Further, Limit, Listener
from lakehouse.text import pkcs12
from lakehouse.text.placeholders import Text
from lakehouse.text.properties import properties

NAME = "s3proxy"
_SERVER = "server.p12"


def s3proxy(place: Place, stack: LocalStack) -> Service:
    """The store on the file system. It checks SigV4, but has no STS, bucket policies or versions."""
    port = place.port(NAME)
    config = place.config(NAME)
    address = f"{scheme(place)}://{place.bind()}:{port}"
    secured: dict[str, Text] = {
        "s3proxy.secure-endpoint": address,
        "s3proxy.keystore-path": f"{config}/{_SERVER}",
        "s3proxy.keystore-password": pkcs12.PHRASE,
    }
    settings: dict[str, Text] = {
        **(secured if place.secure else {"s3proxy.endpoint": address}),
        "s3proxy.authorization": "aws-v2-or-v4",
        "s3proxy.identity": STORE.name,
        "s3proxy.credential": STORE.value,
        # Trino's writer sends x-amz-optional-object-attributes, which the store would refuse otherwise.
        "s3proxy.ignore-unknown-headers": "true",
        "jclouds.provider": "filesystem-nio2",
        "jclouds.filesystem.basedir": place.data(NAME),
        **stack.store.properties,
    }
    own = Certificate.of(NAME, place.host(NAME), [place.external(NAME)])
    return Service(
        name=NAME,
        image="s3proxy-4.1.0",
        packages=("s3proxy-4.1.0",),
        java=25,
        command=(
            place.java(25),
            *(jvm.heap(128), *jvm.QUICK, "-DLOG_LEVEL=warn"),
            *("-jar", place.package("s3proxy-4.1.0"), "--properties", f"{config}/s3proxy.conf"),
        ),
        files=(
            File("s3proxy.conf", properties(settings)),
            *([File(_SERVER, own.keystore)] if place.secure else []),
        ),
        reading=(File("s3proxy.conf", properties(settings | {"s3proxy.read-only-blobstore": "true"})),),
        environment=jvm.ENVIRONMENT,
        data=(place.data(NAME),),
        ports=(Port(NAME, port, scheme(place), label="S3 endpoint", gives=""),),
        probe=Probe("tcp", port),
        memory_mb=256,
    )


S3PROXY = StoreKind(
    word=NAME,
    label="S3Proxy",
    on=("process", "docker", "hosts"),
    unsecured=None,
    can=Capabilities(sts=False, policies=False, versioning=False, lifecycle=False, conditional_writes=True),
    listeners=(Listener(NAME, 9000, 9000, "object store, S3 API"),),
    limits=(
        Limit(
            Feature.LONG,
            refused=True,
            rule='"{}" is too long: S3Proxy keeps objects as files, and no part of a path has more than 255 bytes',
            fix="Choose a shorter name",
        ),
    ),
    further=Further(
        "s3proxy.conf",
        key=r"(s3proxy|jclouds)\.[\w.-]+",
        example="s3proxy.v4-max-non-chunked-request-size: 134217728",
        owned={
            "s3proxy.endpoint": "the runtime, and `ports` of the stack",
            "s3proxy.secure-endpoint": "the runtime",
            "s3proxy.keystore-*": "the lakehouse: `secure` of the stack gives it a certificate",
            "s3proxy.authorization": "the lakehouse: clients have its keys",
            "s3proxy.identity": "the lakehouse: clients have its keys",
            "s3proxy.credential": "the lakehouse: clients have its keys",
            "s3proxy.ignore-unknown-headers": "the lakehouse: Trino needs it",
            "s3proxy.metrics.*": "the lakehouse: it leaves them off, for their port has no login",
            "s3proxy.read-only-blobstore": "the lakehouse, while the disk is full",
            "jclouds.provider": "the lakehouse: files are in its data folder",
            "jclouds.filesystem.basedir": "the lakehouse: files are in its data folder",
        },
    ),
    service=s3proxy,
)
