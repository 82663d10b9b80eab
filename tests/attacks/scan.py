"""``python -m tests.attacks.scan``: what ports answer to somebody who has no secret, as JSON from and to the shell.

As root it becomes a user without any right first. It reads ``[[number, ask], ...]``, and writes for each what it gets
without TLS and with it; see :func:`answered`.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401 - what Python would load later cannot be read by another user
import http.client
import json
import os
import socket
import ssl
import struct
import sys
from collections.abc import Mapping
from typing import Any

import grpc
from pyspark.sql.connect.proto import AnalyzePlanRequest
from pyspark.sql.connect.proto.base_pb2_grpc import SparkConnectServiceStub

NOBODY = 65534  # as https://systemd.io/UIDS-GIDS/ has it
SECONDS = 30.0
REFUSED = (401, 403, 405, 415, 421)
NOTHING = "nothing"  # of this protocol answers there
HUNG = "no answer in time"  # which says nothing of what it would give
Ask = Mapping[str, Any]  # what :class:`tests.attacks.asks.Ask` is in JSON


def answered(number: int, ask: Ask, *, tls: bool) -> str:
    """``NOTHING``, ``HUNG``, ``refused``, or ``answered`` if the ask got past the door, whatever became of it then."""
    try:
        with socket.create_connection(("127.0.0.1", number), SECONDS) as plain:
            plain.settimeout(SECONDS)
            if tls and ask["speaks"] == "postgres":
                plain.sendall(struct.pack("!ii", 8, 80877103))  # which asks for TLS
                _read(plain, 1)
            return _SPOKEN[ask["speaks"]](_wrapped(plain) if tls else plain, ask)
    except TimeoutError:
        return HUNG
    except (OSError, http.client.HTTPException, EOFError):
        return NOTHING


def _wrapped(plain: socket.socket) -> socket.socket:
    """TLS that trusts every certificate and shows none."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(plain, server_hostname="localhost")


def _http(connection: socket.socket, ask: Ask) -> str:
    at = http.client.HTTPConnection("127.0.0.1", connection.getpeername()[1])
    at.sock = connection
    at.putrequest(ask["method"], ask["path"], skip_host="Host" in ask["headers"], skip_accept_encoding=True)
    for key, value in {**ask["headers"], "Content-Length": str(len(ask["body"].encode()))}.items():
        at.putheader(key, value)
    at.endheaders(ask["body"].encode())
    answer = at.getresponse()
    status = answer.status
    if status == 400 and b"to an HTTPS server" in answer.read():
        return NOTHING  # Go's servers answer so to whoever speaks without TLS
    # A conflict with what is there, or an error in the body, comes after every check of who asks.
    return "answered" if status < 300 or (status in (400, 409) and ask["method"] != "GET") else "refused"


def _postgres(connection: socket.socket, ask: Ask) -> str:
    """https://www.postgresql.org/docs/18/protocol-message-formats.html"""
    words = b"user\0postgres\0database\0postgres\0\0"
    connection.sendall(struct.pack("!ii", 8 + len(words), 3 << 16) + words)
    kind, _, code = struct.unpack("!cii", _read(connection, 9))
    return "answered" if kind == b"R" and code == 0 else "refused"


def _thrift(connection: socket.socket, ask: Ask) -> str:
    """A call without arguments: https://github.com/apache/thrift/blob/master/doc/specs/thrift-binary-protocol.md"""
    name = ask["path"].encode()
    connection.sendall(struct.pack("!Ii", 0x80010001, len(name)) + name + struct.pack("!ib", 1, 0))
    version = struct.unpack("!I", _read(connection, 4))[0]
    return "answered" if version & 0xFFFFFF00 == 0x80010000 else NOTHING


def _hive(connection: socket.socket, ask: Ask) -> str:
    """Hive's server asks for a name and a password by SASL, of which it looks at none without a login."""
    plain = b"\0anybody\0x"
    for status, word in ((1, b"PLAIN"), (5, plain)):
        connection.sendall(struct.pack("!bi", status, len(word)) + word)
    status, length = struct.unpack("!bi", _read(connection, 5))
    _read(connection, length)
    return "answered" if status == 5 else "refused"


def _spark(connection: socket.socket, ask: Ask) -> str:
    """A request of Spark's own protocol, for no blocks. A process that keeps none reads it as an object of Java.

    https://github.com/apache/spark/tree/v4.1.1/common/network-common/src/main/java/org/apache/spark/network/protocol
    """
    body = bytes(13)
    frame = struct.pack("!bqi", 3, 1, len(body)) + body
    connection.sendall(struct.pack("!q", len(frame) + 8) + frame)
    length, kind = struct.unpack("!qb", _read(connection, 9))
    said = _read(connection, length - 9).decode(errors="replace")
    asks_who = any(word in said for word in ("AuthRpcHandler", "SaslRpcHandler", "SaslMessage", "Unknown challenge"))
    return "refused" if kind == 5 and asks_who else "answered"


def _connect(connection: socket.socket, ask: Ask) -> str:
    """Spark Connect, by its own client. The connection only shows that it listens."""
    target = f"localhost:{connection.getpeername()[1]}"
    if isinstance(connection, ssl.SSLSocket):
        der = connection.getpeercert(binary_form=True)
        assert der is not None
        trusted = ssl.DER_cert_to_PEM_cert(der).encode()  # gRPC takes any certificate as an authority of itself
        channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(trusted))
    else:
        channel = grpc.insecure_channel(target)
    asked = AnalyzePlanRequest(
        session_id="00112233-4455-6677-8899-aabbccddeeff", spark_version=AnalyzePlanRequest.SparkVersion()
    )
    asked.user_context.user_id = "anybody"
    try:
        stub: Any = SparkConnectServiceStub(channel)  # type: ignore[no-untyped-call]
        stub.AnalyzePlan(asked, timeout=SECONDS)
    except grpc.RpcError as error:
        if error.code() == grpc.StatusCode.UNAVAILABLE:
            return NOTHING
        if error.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
            return HUNG
        return "refused" if error.code() == grpc.StatusCode.UNAUTHENTICATED else "answered"
    return "answered"


def _grpc(connection: socket.socket, ask: Ask) -> str:
    """The beginning of HTTP/2: https://www.rfc-editor.org/rfc/rfc9113#section-3.4"""
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)))
    _read(connection, 9)
    return "answered"


def _kafka(connection: socket.socket, ask: Ask) -> str:
    """Metadata of all topics: https://kafka.apache.org/43/design/protocol/"""
    words = struct.pack("!hhihi", 3, 0, 1, -1, 0)  # METADATA, in its first version
    connection.sendall(struct.pack("!i", len(words)) + words)
    _read(connection, 8)
    return "answered"


def _controller(connection: socket.socket, ask: Ask) -> str:
    """The settings of node 1: a controller knows no topics' metadata, but this."""
    words = struct.pack("!hhihibh1sib", 32, 1, 1, -1, 1, 4, 1, b"1", -1, 0)  # DESCRIBE_CONFIGS of a broker, all keys
    connection.sendall(struct.pack("!i", len(words)) + words)
    length, *_ = struct.unpack("!i", _read(connection, 4))
    _, _, results, error = struct.unpack_from("!iiih", _read(connection, length))
    return "answered" if results and not error else "refused"


def _hazelcast(connection: socket.socket, ask: Ask) -> str:
    """A client's login with only the cluster's name, which is what SeaTunnel's own clients have.

    https://github.com/hazelcast/hazelcast-client-protocol/blob/v1.4/protocol-definitions/Client.yaml
    """

    def frame(content: bytes, flags: int = 0) -> bytes:
        return struct.pack("<iH", 6 + len(content), flags) + content

    null = frame(b"", 1 << 10)
    login = struct.pack("<iqi?16sb", 256, 1, -1, False, bytes(range(16)), 1)  # with an id of the client's
    words = [frame(login, 0xC000), frame(b"seatunnel"), null, null]  # no user and no password
    words += [frame(each) for each in (b"TST", b"5.1", b"anybody")]
    words += [frame(b"", 1 << 12), frame(b"", (1 << 11) | (1 << 13))]  # no labels, and the end
    connection.sendall(b"CP2" + b"".join(words))
    length, _ = struct.unpack("<iH", _read(connection, 6))
    kind, _, _, status = struct.unpack_from("<iqbb", _read(connection, length - 6))
    return "answered" if (kind, status) == (257, 0) else "refused"


_SPOKEN = {
    "http": _http,
    "postgres": _postgres,
    "thrift": _thrift,
    "hive": _hive,
    "spark": _spark,
    "connect": _connect,
    "grpc": _grpc,
    "kafka": _kafka,
    "kafka-controller": _controller,
    "hazelcast": _hazelcast,
}


def _read(connection: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        more = connection.recv(count - len(found))
        if not more:
            raise EOFError
        found += more
    return found


def main() -> None:
    asked = json.load(sys.stdin)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    print(json.dumps([[answered(number, ask, tls=tls) for tls in (False, True)] for number, ask in asked]))


if __name__ == "__main__":
    main()
