"""A double of the Apache Polaris server, for tests: ``python -m tests.polaris.server JAR...``.

No package registry has the server. This double gives the observed answers of Polaris 1.7.0, and passes requests for
tables to Iceberg's own REST server. Its settings are those of the real one: QUARKUS_CONFIG_LOCATIONS names the file,
and the keys of the store are those of AWS_SHARED_CREDENTIALS_FILE.
"""

from __future__ import annotations

import base64
import configparser
import hashlib
import hmac
import json
import os
import secrets
import signal
import ssl
import sys
import threading
import time
from collections.abc import Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.polaris.answers import Answer, PolarisError
from tests.polaris.content import Content
from tests.polaris.management import Management
from tests.polaris.realm import Realm
from tests.polaris.tables import Tables

_LASTS = 3600  # seconds of a token
_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_ISSUED = "urn:ietf:params:oauth:token-type:access_token"
_SCOPE = "PRINCIPAL_ROLE:"
_BROKER = "polaris.authentication.token-broker"
_REQUIRED = (
    "quarkus.http.port",
    "quarkus.management.port",
    "quarkus.datasource.jdbc.url",
    "polaris.bootstrap.credentials",
)


class Tokens:
    """Tokens, signed with a key. A key that is not in the settings is made at each start, as the real server does."""

    def __init__(self, key: str) -> None:
        self._key = (key or secrets.token_hex()).encode()

    def issue(self, principal: str) -> str:
        """A token of the principal with that number."""
        body = base64.urlsafe_b64encode(json.dumps({"sub": principal, "exp": time.time() + _LASTS}).encode()).decode()
        return f"{body}.{self._sign(body)}"

    def number(self, token: str) -> str:
        """That of the principal of a token; nothing if it has ended or was never given."""
        body, _, signature = token.partition(".")
        if not hmac.compare_digest(signature, self._sign(body)):
            return ""
        claims = json.loads(base64.urlsafe_b64decode(body))
        return str(claims["sub"]) if claims["exp"] > time.time() else ""

    def _sign(self, body: str) -> str:
        return hmac.new(self._key, body.encode(), hashlib.sha256).hexdigest()


class Double:
    """A server with one realm."""

    def __init__(self, settings: Mapping[str, str], jars: list[str]) -> None:
        self.realm_name, client, secret = settings["polaris.bootstrap.credentials"].split(",")
        assert self.realm_name == settings["polaris.realm-context.realms"]
        keys = _keys(Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"]))
        jdbc = {
            "uri": settings["quarkus.datasource.jdbc.url"],
            "jdbc.user": settings["quarkus.datasource.username"],
            "jdbc.password": settings["quarkus.datasource.password"],
        }
        self.tables = Tables(f"{os.environ['JAVA_HOME']}/bin/java", jars, jdbc, keys)
        self.realm = Realm((client, secret), self.tables, self._keep)
        self.management = Management(self.realm, self.tables)
        self.content = Content(self.realm, self.tables, keys)
        self.tokens = Tokens(settings.get(f"{_BROKER}.symmetric-key.secret", ""))
        for each in self.realm.catalogs():
            self._serve(each)

    def _serve(self, catalog: Mapping[str, Any]) -> None:
        self.tables.serve(catalog["name"], catalog["properties"]["default-base-location"], catalog["storageConfigInfo"])

    def _keep(self, updates: Mapping[str, Any], removals: list[str]) -> None:
        self.tables.keep(updates, removals)
        for key in removals:
            if key.startswith("catalog:") and key not in updates:
                self.tables.forget(key.partition(":")[2])
        for key, entity in updates.items():
            if key.startswith("catalog:"):
                self._serve(entity)

    def answer(self, method: str, target: str, headers: Mapping[str, str], data: bytes) -> Answer:
        url = urlsplit(target)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        try:
            if headers.get("polaris-realm", self.realm_name) != self.realm_name:
                raise PolarisError(404, "MissingOrInvalidRealm", "Missing or invalid realm")
            if url.path == "/api/catalog/v1/oauth/tokens":
                return self._token(dict(parse_qsl(data.decode())), headers.get("authorization", ""))
            who = self.realm.numbered(self.tokens.number(headers.get("authorization", "").removeprefix("Bearer ")))
            if who is None:
                return Answer(401)
            body = json.loads(data) if data else None
            return self._authorised(who, method, url.path, query, body, headers)
        except PolarisError as error:
            return error.answer

    def _token(self, form: Mapping[str, str], authorization: str) -> Answer:
        """A token, for credentials (in the form or, as DuckDB sends them, in the header) or for another token."""
        if form.get("grant_type") not in ("client_credentials", _EXCHANGE):
            return _no_token(400, "unsupported_grant_type", "The grant type is invalid")
        if not authorization and "client_secret" not in form:
            return _no_token(400, "invalid_client", "The Client is invalid")
        name, secret = form.get("client_id", ""), form.get("client_secret", "")
        if "client_secret" not in form and authorization.startswith("Basic "):
            name, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        if not secret and "client_secret" not in form:
            return self._exchanged(form)
        if not form.get("scope", "").startswith(_SCOPE):
            return _no_token(400, "invalid_scope", "The scope is invalid")
        number = self.realm.number_of(name, secret)
        if number is None:
            return _no_token(401, "unauthorized_client", "The client is not authorized")
        return self._given(number)

    def _exchanged(self, form: Mapping[str, str]) -> Answer:
        """A new token for one that is valid, as long as its principal is there: nobody asks for a secret."""
        if form.get("subject_token_type") != _ISSUED or not form.get("subject_token"):
            return _no_token(400, "invalid_request", "The request is invalid")
        number = self.tokens.number(form["subject_token"])
        if not number:
            return _no_token(400, "invalid_client", "The Client is invalid")
        if not form.get("scope", _SCOPE).startswith(_SCOPE):
            return _no_token(400, "invalid_scope", "The scope is invalid")
        if self.realm.numbered(number) is None:
            return _no_token(401, "unauthorized_client", "The client is not authorized")
        return self._given(number)

    def _given(self, number: str) -> Answer:
        token = {"access_token": self.tokens.issue(number), "expires_in": _LASTS, "token_type": "bearer"}
        return Answer(200, {**token, "issued_token_type": _ISSUED})

    def _authorised(
        self, who: str, method: str, path: str, query: Mapping[str, str], body: Any, headers: Mapping[str, str]
    ) -> Answer:
        if path.startswith("/api/management/v1/"):
            if (method, unquote(path)) == ("POST", f"/api/management/v1/principals/{who}/rotate"):
                with self.realm.lock:
                    return self.realm.rotate(who)
            if not self.realm.is_admin(who):
                raise PolarisError(403, "ForbiddenException", f"Principal '{who}' is not authorized")
            parts = [unquote(each) for each in path.removeprefix("/api/management/v1/").split("/")]
            with self.realm.lock:
                return self.management.handle(method, parts, query, body)
        if path == "/api/catalog/v1/config":
            return self.content.config(query)
        if path.startswith("/api/catalog/v1/"):
            catalog, _, rest = path.removeprefix("/api/catalog/v1/").partition("/")
            return self.content.handle(who, method, unquote(catalog), rest, query, body, headers)
        raise PolarisError(404, "NotFoundException", "HTTP 404 Not Found")


def _no_token(status: int, error: str, description: str) -> Answer:
    return Answer(status, {"error": error, "error_description": description, "error_uri": None})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer is one packet: a second one waits for the client's acknowledgement, which takes 40 ms

    def __init__(self, double: Double, *arguments: Any) -> None:
        self._double = double
        super().__init__(*arguments)

    def handle_request(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        data = self.rfile.read(length) if length else b""
        headers = {key.lower(): value for key, value in self.headers.items()}
        try:
            self._send(self._double.answer(self.command, self.path, headers, data))
        except ValueError:  # no JSON
            self._send(PolarisError(400, "WebApplicationException", "HTTP 400 Bad Request").answer)
        except (KeyError, TypeError):  # JSON of another form
            self._send(Answer(400))

    def _send(self, answer: Answer) -> None:
        data = b"" if answer.body is None else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(data)))
        if data:
            self.send_header("Content-Type", "application/json")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *arguments: Any) -> None:
        """No access log."""


for each in ("GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"):
    setattr(_Handler, f"do_{each}", _Handler.handle_request)


class _Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = self.path in ("/q/health", "/q/health/ready", "/q/health/live")
        data = json.dumps({"status": "UP", "checks": []}).encode() if found else b""
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: Any) -> None:
        """No access log."""


def _tls(settings: Mapping[str, str]) -> ssl.SSLContext:
    assert settings["quarkus.http.insecure-requests"] == "disabled"
    assert settings["quarkus.http.ssl-port"] == settings["quarkus.http.port"]
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key = (settings[f"quarkus.http.ssl.certificate.{each}"] for each in ("files", "key-files"))
    found.load_cert_chain(certificate.replace("$$", "$"), key.replace("$$", "$"))
    return found


def _trust() -> None:
    """Have boto3 trust what the server's JVM would: the store of certificates beside the settings, if there is one."""
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

    if (store := Path("truststore.p12")).is_file():
        every = load_pkcs12(store.read_bytes(), None).additional_certs
        bundle = Path("trusted.pem")
        bundle.write_bytes(b"".join(each.certificate.public_bytes(Encoding.PEM) for each in every))
        os.environ["AWS_CA_BUNDLE"] = str(bundle.absolute())


def settings_of(location: str) -> dict[str, str]:
    """The settings of the file that QUARKUS_CONFIG_LOCATIONS names."""
    text = Path(unquote(urlsplit(location).path)).read_text()
    lines = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {key.replace("\\:", ":").replace("\\", ""): value.replace("\\\\", "\\") for key, _, value in lines}


def _keys(path: Path) -> dict[str, str]:
    """The keys of the store, by Iceberg's names."""
    found = configparser.RawConfigParser()
    found.read(path)
    names = {"s3.access-key-id": "aws_access_key_id", "s3.secret-access-key": "aws_secret_access_key"}
    return {ours: found["default"][theirs] for ours, theirs in names.items()}


def main() -> None:
    settings = settings_of(os.environ["QUARKUS_CONFIG_LOCATIONS"])
    for each in _REQUIRED:
        assert each in settings, each
    _trust()
    double = Double(settings, sys.argv[1:])
    servers = []
    for part, handler in (("http", partial(_Handler, double)), ("management", _Health)):
        at = (settings[f"quarkus.{part}.host"], int(settings[f"quarkus.{part}.port"]))
        server = ThreadingHTTPServer(at, handler)
        server.daemon_threads = True
        if part == "http" and "quarkus.http.ssl-port" in settings:
            server.socket = _tls(settings).wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()
    double.tables.stop()


if __name__ == "__main__":
    main()
