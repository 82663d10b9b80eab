from __future__ import annotations

import base64
import http.server
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest
import requests

from bootstrap.session.target import find
from bootstrap.session.trino_login import TrinoLogin, trino_login
from lakehouse.runtimes import certificates, owner
from lakehouse.runtimes.state import State
from lakehouse.text.placeholders import Issued
from tests.unit.lakehouse.services.place import PROJECT

PASSWORD = "".join(("a", "word"))


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = self.headers.get("Authorization", "").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The address of a server with a certificate of its own authority, and the authority's file."""
    state = State(tmp_path_factory.mktemp("state"))
    certificates.make(state, Issued("web", "certificate", ("127.0.0.1",)))
    folder = state.root / "certificates"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "web" / "certificate.pem", folder / "web" / "key.pem")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as listening:
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{listening.server_address[1]}", str(folder / "authority" / "certificate.pem")
        listening.shutdown()


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_shells_certificates_replace_neither_ours_nor_the_password(
    server: tuple[str, str], variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, authority = server
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv(variable, certifi.where())
    given = TrinoLogin("me", PASSWORD, authority).settings()
    session = given["http_session"]
    given["auth"].set_http_session(session)
    assert session.get(url, timeout=10).text == f"Basic {base64.b64encode(b'me:' + PASSWORD.encode()).decode()}"
    assert given["http_scheme"] == "https"
    session.verify = certifi.where()
    with pytest.raises(requests.exceptions.SSLError):
        session.get(url, timeout=10)


def test_without_passwords_it_is_as_before(tmp_path: Path) -> None:
    file = tmp_path / "lakehouse.yaml"
    file.write_text((PROJECT / "lakehouse.yaml").read_text())
    login = trino_login(find(file, "local"))
    assert (login.user, login.password, login.trust) == ("lakehouse", "", "")
    assert login.settings().keys() == {"http_scheme", "http_session"}
    assert login.settings()["http_session"].trust_env


def test_our_own_clients_log_in_as_the_owner(tmp_path: Path) -> None:
    file = tmp_path / "lakehouse.yaml"
    file.write_text(
        (PROJECT / "lakehouse.yaml").read_text().replace('trino: {version: "476"', "trino: {authentication: password")
    )
    target = find(file, "local")
    owner.mark(target.located.state, target.located.claim)
    target.local.state.keep("trino-password", PASSWORD)
    login = trino_login(target)
    assert (login.user, login.password) == ("lakehouse", PASSWORD)
    assert login.trust == str(target.local.state.root / "certificates" / "authority" / "certificate.pem")
    assert PASSWORD not in repr(login)
