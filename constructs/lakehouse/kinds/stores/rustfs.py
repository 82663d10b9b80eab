"""RustFS on one drive, with its console. https://docs.rustfs.com/"""

from __future__ import annotations

from lakehouse.kinds.store import StoreKind
from lakehouse.kinds.stores.minio import listeners
from lakehouse.services.secrets import STORE
from lakehouse.services.service import HEALTH, LOGIN_PAGE, File, Place, Port, Probe, Service
from lakehouse.spec import LocalStack
from lakehouse.spec.kinds import Capabilities, Further, Unsecured

NAME = "rustfs"
PACKAGE = "rustfs-1.0.1"


def rustfs(place: Place, stack: LocalStack) -> Service:
    """The store, under the Apache licence. Its settings are environment variables; it reads its keys from files."""
    port, console = place.port(NAME), place.port(f"{NAME}-console")
    config = place.config(NAME)
    return Service(
        name=NAME,
        image=PACKAGE,
        packages=(PACKAGE,),
        command=(place.package(PACKAGE), "server", place.data(NAME)),
        files=(
            File("access-key", STORE.name),
            File("secret-key", STORE.value),
        ),
        environment=(
            ("RUSTFS_ADDRESS", f"{place.bind()}:{port}"),
            ("RUSTFS_CONSOLE_ENABLE", "true"),
            ("RUSTFS_CONSOLE_ADDRESS", f"{place.bind()}:{console}"),
            ("RUSTFS_ACCESS_KEY_FILE", f"{config}/access-key"),
            ("RUSTFS_SECRET_KEY_FILE", f"{config}/secret-key"),
            ("RUSTFS_CHECK_UPDATE", "false"),  # it must not fetch anything by itself
            *stack.store.properties.items(),
        ),
        data=(place.data(NAME),),
        ports=(
            Port(NAME, port, label="S3 endpoint", gives=HEALTH),
            Port(f"{NAME}-console", console, label="Console of the store", path="/rustfs/console/", gives=LOGIN_PAGE),
        ),
        probe=Probe("http", port, "/health/ready"),
        reading=(),
        memory_mb=512,
    )


RUSTFS = StoreKind(
    word=NAME,
    label="RustFS",
    unsecured=Unsecured("it was never started here, so what its TLS is worth is not known"),
    can=Capabilities(sts=True, policies=True, versioning=True, lifecycle=True, conditional_writes=True),
    listeners=listeners(NAME),
    further=Further(
        "the environment of the server",
        key=r"RUSTFS_[A-Z0-9_]+",
        example="RUSTFS_OBS_LOGGER_LEVEL: warn",
        owned={
            "RUSTFS_ADDRESS": "the runtime, and `ports` of the stack",
            "RUSTFS_CONSOLE_ENABLE": "the lakehouse: the console has a port",
            "RUSTFS_CONSOLE_ADDRESS": "the runtime, and `ports` of the stack",
            "RUSTFS_ACCESS_KEY*": "the lakehouse: clients have its keys",
            "RUSTFS_SECRET_KEY*": "the lakehouse: clients have its keys",
            "RUSTFS_VOLUMES": "the lakehouse: files are in its data folder",
            "RUSTFS_CHECK_UPDATE": "the lakehouse: the store must not update itself",
        },
    ),
    service=rustfs,
)
