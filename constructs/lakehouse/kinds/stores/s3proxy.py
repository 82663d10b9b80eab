"""S3Proxy: the object store where nothing can be installed. https://github.com/gaul/s3proxy"""

from __future__ import annotations

from lakehouse.services import jvm
from lakehouse.services.service import File, Place, Port, Probe, Service
from lakehouse.text.placeholders import Text
from lakehouse.text.properties import properties

NAME = "s3proxy"


def s3proxy(place: Place) -> Service:
    """The store on the file system: SigV4 is checked; there is no STS, no bucket policy and no versioning."""
    port = place.port(NAME)
    config = place.config(NAME)
    settings: dict[str, Text] = {
        "s3proxy.endpoint": f"http://{place.bind()}:{port}",
        "s3proxy.authorization": "aws-v2-or-v4",
        "s3proxy.identity": place.secret("store-access-key"),
        "s3proxy.credential": place.secret("store-secret-key"),
        # Trino's writer sends x-amz-optional-object-attributes, which the store would refuse otherwise.
        "s3proxy.ignore-unknown-headers": "true",
        "jclouds.provider": "filesystem-nio2",
        "jclouds.filesystem.basedir": place.data(NAME),
    }
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
        files=(File("s3proxy.conf", properties(settings)),),
        reading=(File("s3proxy.conf", properties(settings | {"s3proxy.read-only-blobstore": "true"})),),
        environment=jvm.ENVIRONMENT,
        data=(place.data(NAME),),
        ports=(Port(NAME, port, label="S3 endpoint"),),
        probe=Probe("tcp", port),
        memory_mb=256,
    )
