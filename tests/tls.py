"""The certificates that ports serve."""

from __future__ import annotations

import socket
import ssl
import struct


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
