"""The certificates that ports serve, and those of an authority of the user's."""

from __future__ import annotations

import socket
import ssl
import struct
import subprocess
from pathlib import Path


def served(port: int, trust: str, *, postgres: bool = False) -> bytes:
    """The certificate, in DER, that a port on this machine serves. The authority in ``trust`` must have signed it.

    PostgreSQL's clients ask for TLS first: https://www.postgresql.org/docs/18/protocol-message-formats.html
    """
    trusting = ssl.create_default_context(cafile=trust)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        if postgres:
            plain.sendall(struct.pack("!ii", 8, 80877103))
            assert plain.recv(1) == b"S"
        with trusting.wrap_socket(plain, server_hostname="127.0.0.1") as encrypted:
            return encrypted.getpeercert(binary_form=True) or b""


EC = ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def authority(folder: Path, name: str, parent: str = "") -> None:
    """An authority, signed by another one or by itself: ``NAME.pem`` and ``NAME-key.pem``."""
    extensions = "basicConstraints=critical,CA:TRUE"
    signing = ("-CA", f"{parent}.pem", "-CAkey", f"{parent}-key.pem") if parent else ()
    openssl(
        folder, "req", "-x509", "-newkey", *EC, "-nodes", "-subj", f"/CN={name}", "-addext", extensions, "-days", "20",
        *signing, "-keyout", f"{name}-key.pem", "-out", f"{name}.pem",
    )  # fmt: skip


def server(folder: Path, parent: str, names: str, *further: str, key: tuple[str, ...] = EC) -> None:
    openssl(
        folder, "req", "-x509", "-newkey", *key, "-nodes", "-subj", "/CN=server", "-days", "10",
        *(("-addext", f"subjectAltName={names}") if names else ()), "-addext", "basicConstraints=critical,CA:FALSE",
        *further, "-CA", f"{parent}.pem", "-CAkey", f"{parent}-key.pem", "-keyout", "key.pem", "-out", "server.pem",
    )  # fmt: skip
    (folder / "key.pem").chmod(0o600)
