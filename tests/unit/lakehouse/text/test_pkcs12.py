"""Java's store of trusted certificates, read by the library that reads such stores in Python."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import DNSName, SubjectAlternativeName
from cryptography.x509.oid import NameOID

from lakehouse.runtimes import certificates
from lakehouse.runtimes.state import State
from lakehouse.services.certificate import TRUSTED, Certificate
from lakehouse.text.pkcs12 import PHRASE, roots
from lakehouse.text.placeholders import Truststore, issued, read, with_contents, written


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # of a root that is older than the rule
def test_it_has_the_public_roots_and_the_authority_and_needs_no_password(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    certificates.make(state, TRUSTED)
    store = pkcs12.load_pkcs12(written(read(with_contents(Truststore(TRUSTED))), state.secret), None)
    assert store.key is None
    assert store.cert is None
    names = [each.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME) for each in store.additional_certs]
    assert [each[0].value for each in names if each].count("lakehouse authority") == 1
    assert len(names) == roots().count("BEGIN CERTIFICATE") + 1
    assert len({each.friendly_name for each in store.additional_certs}) == len(names)


def test_it_is_written_as_a_definition_and_read_again() -> None:
    store = Truststore(TRUSTED)
    assert with_contents(store) == [{"trusted": {"certificate": "authority", "part": "certificate", "names": []}}]
    assert read(with_contents(store)) == (store,)
    assert issued(store) == (TRUSTED,)


def test_a_server_gets_its_key_and_its_certificate_in_one_store(tmp_path: Path) -> None:
    state, own = State(tmp_path / "state"), Certificate.of("s3proxy", "s3proxy")
    certificates.make(state, own.chain)
    text = read(with_contents(own.keystore))
    assert issued(text) == (own.key, own.chain)
    store = pkcs12.load_pkcs12(written(text, state.secret), PHRASE.encode())
    assert store.key is not None
    assert store.cert is not None
    names = store.cert.certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
    assert names.get_values_for_type(DNSName) == ["s3proxy", "localhost"]
    assert store.key.public_key() == store.cert.certificate.public_key()
    assert b"PRIVATE KEY" not in written(text, state.secret)
