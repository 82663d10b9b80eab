"""What a deploy refuses of a certificate that the user gives."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lakehouse.errors import UsageError
from lakehouse.runtimes import generations
from lakehouse.runtimes.certificates import bundle, mistrust
from lakehouse.runtimes.given import faults
from lakehouse.runtimes.state import State
from lakehouse.services.certificate import Certificate, Given
from lakehouse.services.service import File, Probe, Service
from tests.tls import EC, authority, openssl, server

NAMES = ("lake.example.com", "localhost", "127.0.0.1")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root, an authority below it, and a server's certificate of that one with the chain."""
    folder = tmp_path_factory.mktemp("given")
    authority(folder, "root")
    authority(folder, "other")
    authority(folder, "between", "root")
    server(folder, "between", "DNS:*.example.com,DNS:localhost,IP:127.0.0.1")
    (folder / "chain.pem").write_text((folder / "server.pem").read_text() + (folder / "between.pem").read_text())
    return folder


@pytest.fixture
def given(made: Path) -> Given:
    return Given(made / "chain.pem", made / "key.pem", made / "root.pem")


def said(given: Given, names: tuple[str, ...] = NAMES, now: datetime | None = None) -> str:
    """The only fault."""
    ((key, message),) = faults(given, names, now)
    return f"{key}: {message}"


def test_a_chain_up_to_the_root_can_be_used(given: Given) -> None:
    assert list(faults(given, NAMES)) == []


def test_names_that_clients_use_are_in_it(given: Given) -> None:
    found = said(given, (*NAMES, "trino", "a.lake.example.com", "10.0.0.7"))
    assert "is for *.example.com, localhost, 127.0.0.1; " in found
    assert "reach the services by trino, a.lake.example.com, 10.0.0.7 too" in found


def test_what_lies_between_is_in_the_file(given: Given, made: Path) -> None:
    found = said(replace(given, certificate=made / "server.pem"))
    assert found.startswith("certificate: ")
    assert "unable to get local issuer certificate. It must have the server's certificate first" in found


@pytest.mark.parametrize(("name", "why"), [("other", "is not trusted by"), ("between", "is no root authority")])
def test_the_authority_is_the_root_that_signed_it(given: Given, made: Path, name: str, why: str) -> None:
    assert why in said(replace(given, authority=made / f"{name}.pem"))


def test_the_key_is_that_of_the_certificate(given: Given, made: Path, tmp_path: Path) -> None:
    other = tmp_path / "key.pem"
    other.write_bytes((made / "other-key.pem").read_bytes())
    other.chmod(0o600)
    assert said(replace(given, key=other)).startswith(f"key: {other} is not the key of the first certificate in ")


def test_other_users_cannot_read_the_key(given: Given, tmp_path: Path) -> None:
    copied = tmp_path / "key.pem"
    copied.write_bytes(given.key.read_bytes())
    copied.chmod(0o640)
    assert said(replace(given, key=copied)) == (
        f"key: {copied} has mode 0640, so other users may read it. Run `chmod 600 key.pem`"
    )


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"), "is an RSA key of 1024 bits"),
        (("genpkey", "-algorithm", "ED25519"), "is of a kind that not all services read"),
        (("genpkey", "-algorithm", *EC, "-aes256", "-pass", "pass:1234"), "asks for a pass phrase"),
        (("genpkey", "-algorithm", *EC, "-outform", "DER"), "has no private key in PEM"),
    ],
)
def test_keys_that_cannot_be_used(given: Given, tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    openssl(tmp_path, *words, "-out", "key.pem")
    (tmp_path / "key.pem").chmod(0o600)
    assert why in said(replace(given, key=tmp_path / "key.pem"))


def test_an_rsa_key_can_be_used(made: Path, tmp_path: Path) -> None:
    for each in made.glob("*.pem"):
        (tmp_path / each.name).write_bytes(each.read_bytes())
    server(tmp_path, "root", "DNS:localhost", key=("rsa:2048",))
    assert (
        list(faults(Given(tmp_path / "server.pem", tmp_path / "key.pem", tmp_path / "root.pem"), ["localhost"])) == []
    )


@pytest.mark.parametrize(
    ("names", "further", "why"),
    [
        ("", (), "names no host (subjectAltName)"),
        ("DNS:localhost", ("-addext", "extendedKeyUsage=clientAuth"), "unsuitable certificate purpose"),
    ],
)
def test_certificates_that_no_client_accepts(
    made: Path, tmp_path: Path, names: str, further: tuple[str, ...], why: str
) -> None:
    for each in made.glob("*.pem"):
        (tmp_path / each.name).write_bytes(each.read_bytes())
    server(tmp_path, "root", names, *further)
    assert why in said(Given(tmp_path / "server.pem", tmp_path / "key.pem", tmp_path / "root.pem"), ("localhost",))


def test_what_has_ended_or_not_begun(given: Given) -> None:
    late = [message for _, message in faults(given, NAMES, datetime(2126, 1, 1, tzinfo=UTC))]
    assert len(late) == 2
    assert all("Have another one issued" in each for each in late)
    early = [message for _, message in faults(given, NAMES, datetime(2020, 1, 1, tzinfo=UTC))]
    assert all("is valid only from" in each for each in early)


def test_a_file_that_is_missing_or_none_is_named(given: Given, tmp_path: Path) -> None:
    assert said(replace(given, certificate=tmp_path / "gone.pem")).startswith(
        f"certificate: {tmp_path}/gone.pem does not"
    )
    (tmp_path / "text").write_text("no certificate")
    assert "has no certificate in PEM" in said(replace(given, authority=tmp_path / "text"))


WEB = Certificate.of("web", "lake.example.com")
INSIDE = Certificate.inner("web", "lake.example.com")
SERVICE = Service(
    *("web", "", (), ("web",), Probe("tcp", 1)),
    files=tuple(
        File(f"{nth}-{name}", part)
        for nth, each in enumerate((WEB, INSIDE))
        for name, part in (("key", each.key), ("certificate", each.chain), ("authority", each.authority))
    ),
)
NAMED = {"web-certificate", "authority-certificate"}


def kept(state: State, certificate: str, part: str) -> Path:
    return state.root / "certificates" / certificate / f"{part}.pem"


def deployed(state: State, given: Given | None) -> set[str]:
    """What a deploy replaces."""
    former = generations.read(state)
    planned = generations.plan(state, [SERVICE], None, given)
    generations.renew(state, [SERVICE], planned)
    generations.make(state, [SERVICE], planned)
    return {name for name, each in generations.read(state).items() if each != former.get(name)}


def test_services_get_it_and_their_own_parts_another(given: Given, tmp_path: Path) -> None:
    state = State(tmp_path)
    assert deployed(state, given) == set()
    assert kept(state, "web", "key").read_bytes() == given.key.read_bytes()
    assert kept(state, "web", "key").stat().st_mode & 0o777 == 0o600
    assert kept(state, "web", "certificate").read_bytes() == given.certificate.read_bytes()
    assert kept(state, "authority", "certificate").read_bytes() == given.authority.read_bytes()
    assert not kept(state, "authority", "key").exists()
    inner, root = (kept(state, each, "certificate") for each in ("web-inner", "inner-authority"))
    assert mistrust(inner, root) == ""
    assert mistrust(inner, given.authority) != ""
    assert given.authority.read_text() in bundle(state).read_text()
    assert deployed(state, given) == set(), "nothing is left to do"


def test_a_stack_goes_to_the_users_certificate_and_back(given: Given, tmp_path: Path) -> None:
    state = State(tmp_path)
    deployed(state, None)
    assert kept(state, "authority", "key").exists()
    assert deployed(state, given) == NAMED
    assert not kept(state, "authority", "key").exists(), "nobody needs the key of an authority that nobody trusts"
    inner = kept(state, "web-inner", "certificate").read_bytes()
    assert deployed(state, None) == NAMED
    assert kept(state, "authority", "key").exists()
    assert mistrust(kept(state, "web", "certificate"), kept(state, "authority", "certificate")) == ""
    assert kept(state, "web-inner", "certificate").read_bytes() == inner


def test_a_changed_file_is_a_renewal(given: Given, made: Path, tmp_path: Path) -> None:
    for each in made.glob("*.pem"):
        (tmp_path / each.name).write_bytes(each.read_bytes())
    state = State(tmp_path / "state")
    deployed(state, given)
    server(tmp_path, "root", "DNS:lake.example.com,DNS:localhost,IP:127.0.0.1")
    assert deployed(state, Given(tmp_path / "server.pem", tmp_path / "key.pem", given.authority)) == {"web-certificate"}


def test_nothing_is_planned_with_what_cannot_be_used(given: Given, tmp_path: Path) -> None:
    wrong = replace(given, key=tmp_path / "gone.pem", at="stacks.local.secure")
    with pytest.raises(UsageError, match=r"stacks\.local\.secure\.key: .*gone\.pem does not exist"):
        generations.plan(State(tmp_path), [SERVICE], None, wrong)


def test_the_plan_for_the_preflight_has_paths_and_no_key(given: Given, tmp_path: Path) -> None:
    planned = generations.Planned({}, None, given)
    generations.write(tmp_path, planned)
    assert generations.planned_in(tmp_path) == planned
    assert given.key.read_text() not in (tmp_path / generations.FILE).read_text()


def test_the_users_certificate_is_not_rotated_here(given: Given, tmp_path: Path) -> None:
    state = State(tmp_path)
    deployed(state, given)
    with pytest.raises(UsageError, match="Have another one issued"):
        generations.rotate(state, [SERVICE], "web-certificate", None, given)
    generations.rotate(state, [SERVICE], "web-inner-certificate", None, given)


def test_one_that_ends_within_a_day_is_refused(given: Given) -> None:
    from cryptography.x509 import load_pem_x509_certificates

    end = load_pem_x509_certificates(given.certificate.read_bytes())[0].not_valid_after_utc
    assert "within a day. Have another one issued" in said(given, now=end - timedelta(hours=23))
    assert list(faults(given, NAMES, end - timedelta(hours=25))) == []


def with_lines_of_windows(given: Given, folder: Path) -> Given:
    """Copies whose lines end as Windows ends them, with a comment, as some authorities send them."""

    def copied(source: Path) -> Path:
        copy = folder / source.name
        content = "# Zertifikat für alle\n".encode() + source.read_bytes()
        copy.write_bytes(content.replace(b"\n", b"\r\n"))
        copy.chmod(0o600)
        return copy

    return Given(copied(given.certificate), copied(given.key), copied(given.authority))


def test_files_of_windows_are_used_and_not_copied_again_at_each_deploy(given: Given, tmp_path: Path) -> None:
    state, theirs = State(tmp_path / "state"), with_lines_of_windows(given, tmp_path)
    assert list(faults(theirs, NAMES)) == []
    deployed(state, theirs)
    assert deployed(state, theirs) == set()


def test_a_file_in_another_encoding_is_named(given: Given, tmp_path: Path) -> None:
    other = tmp_path / "latin.pem"
    other.write_bytes("# für alle\n".encode("latin-1") + given.authority.read_bytes())
    assert said(replace(given, authority=other)) == (
        f"authority: {other} is not text in UTF-8. Keep only the lines from each BEGIN to its END"
    )
