"""Certificates are made once, and again only if necessary."""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import certificates
from lakehouse.runtimes.docker import steps as docker_steps
from lakehouse.runtimes.probe import Asked, ready
from lakehouse.runtimes.state import State, write_private
from lakehouse.services.certificate import TRUSTED, Certificate
from lakehouse.services.service import File, Probe, Service
from lakehouse.text import pkcs12
from lakehouse.text.placeholders import Issued, written

CERTIFICATE = Certificate.of("web", "web.internal")


def web(certificate: Certificate = CERTIFICATE, port: int = 1) -> Service:
    files = (
        File("key.pem", certificate.key),
        File("certificate.pem", certificate.chain),
        File("authority.pem", certificate.authority),
    )
    probe = Probe("https", port, "/ready", expect="well", trust="authority.pem")
    return Service("web", "image", (), ("web",), probe, files=files)


def kept(state: State) -> dict[str, bytes]:
    root = state.root / "certificates"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.pem")}


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State(tmp_path / "state")
    certificates.issue(state, [web()])
    return state


def test_they_are_made_once_and_closed_to_others(state: State) -> None:
    before = kept(state)
    parts = {f"{name}/{part}.pem" for name in ("web", "authority") for part in ("key", "certificate")}
    assert set(before) == parts | {"authority/bundle.pem"}
    certificates.issue(state, [web()])
    assert kept(state) == before
    for path in (state.root / "certificates").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_the_bundle_has_the_public_authorities_and_follows_the_stacks_own(state: State) -> None:
    authority = state.root / "certificates" / "authority" / "certificate.pem"
    for _ in range(2):
        text = certificates.bundle(state).read_text()
        assert text.endswith(authority.read_text())
        assert text.startswith(pkcs12.roots())
        ssl.create_default_context(cadata=text)
        certificates.make(state, TRUSTED)
        assert certificates.bundle(state).read_text() != text
    certificates.bundle(state).unlink()  # of a state folder from an earlier version
    certificates.issue(state, [web()])
    assert certificates.bundle(state).read_text().endswith(authority.read_text())


def test_one_for_other_names_is_made_again_by_the_same_authority(state: State) -> None:
    before, names = kept(state), ("elsewhere.example",)
    certificates.issue(state, [web(replace(CERTIFICATE, names=names))])
    assert kept(state) == before, "what is there stays until its users are stopped"
    assert certificates.due(state, Issued("web", "certificate", names))
    certificates.make(state, Issued("web", "certificate", names))
    assert not certificates.due(state, Issued("web", "certificate", names))
    changed = {path for path, content in kept(state).items() if content != before[path]}
    assert changed == {"web/key.pem", "web/certificate.pem"}


def test_one_whose_end_is_near_is_made_again(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not certificates.due(state, CERTIFICATE.chain)
    monkeypatch.setattr(certificates, "RENEWED_DAYS", certificates.DAYS + 1)
    assert certificates.due(state, CERTIFICATE.chain)
    assert not certificates.due(state, TRUSTED)


def test_another_authority_issues_all_again(state: State) -> None:
    (state.root / "certificates/authority/key.pem").unlink()
    assert certificates.due(state, CERTIFICATE.chain)
    before = kept(state)
    certificates.make(state, CERTIFICATE.chain)
    assert not set(before.values()) & set(kept(state).values())


def test_a_name_that_is_none_is_refused(tmp_path: Path) -> None:
    state = State(tmp_path)
    with pytest.raises(LakehouseError, match='"a b" cannot be in a certificate'):
        certificates.issue(state, [web(replace(CERTIFICATE, names=("a b",)))])


def test_without_openssl_the_fix_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LakehouseError, match="Install it"):
        certificates.issue(State(tmp_path), [web()])


def test_one_that_is_not_there_is_never_a_random_secret(tmp_path: Path) -> None:
    with pytest.raises(LakehouseError, match="`lakehouse deploy` makes it"):
        written(CERTIFICATE.key, State(tmp_path).secret)


@contextmanager
def served(folder: Path) -> Iterator[int]:
    """A server with the certificate in the folder."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'"all is well"')

        def log_message(self, *_: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("runtime", ["process", "docker"])
def test_a_service_with_one_is_seen_to_be_ready(state: State, runtime: str) -> None:
    config = state.config("web")
    if runtime == "docker":
        docker_steps.write(state, "web", web().files)
    else:
        for file in web().files:
            write_private(config / file.path, written(file.text, state.secret))
    with served(config) as port:
        probe = web(port=port).probe
        assert ready(probe, Asked(config))
        assert not ready(replace(probe, expect="ill"), Asked(config))
        assert not ready(replace(probe, trust=""), Asked(config)), "the system does not trust it"
        assert not ready(replace(probe, trust="missing.pem"), Asked(config))
        assert not ready(replace(probe, kind="http"), Asked(config))
    assert not ready(probe, Asked(config))
