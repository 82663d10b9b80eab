import pytest

from lakehouse.services.service import LOOPBACK, Address, Probe


@pytest.mark.parametrize(
    ("host", "scheme", "url"),
    [
        (LOOPBACK, "http", "http://127.0.0.1:80/ui/"),
        ("lakehouse.example", "https", "https://lakehouse.example:80/ui/"),
        (LOOPBACK, "sc", "sc://localhost:80/ui/"),
        ("lakehouse.example", "sc", "sc://lakehouse.example:80/ui/"),
    ],
)
def test_an_address_is_written_as_its_clients_take_it(host: str, scheme: str, url: str) -> None:
    assert Address(host, 80).url(scheme, "/ui/") == url


def test_a_probe_says_what_it_asks() -> None:
    assert str(Probe("https", 8443, "/v1/info")) == "port 8443/v1/info"
    assert str(Probe("tcp", 5432)) == "port 5432"
    assert str(Probe("exec", command=("pg_isready", "-q"))) == "`pg_isready`"
