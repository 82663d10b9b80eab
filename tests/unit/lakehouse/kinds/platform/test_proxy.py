"""The proxy of secure stacks: its configuration, and which ports are whose."""

from __future__ import annotations

from lakehouse.kinds.catalogs.rest import REST
from lakehouse.kinds.compose import endpoints, services
from lakehouse.services.service import Service
from lakehouse.spec import Lakehouse, LocalStack
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.ports import listeners
from lakehouse.spec.stacks import Secure
from tests.unit.lakehouse.services.place import Somewhere, as_text, default, local

TRUST = "/state/authority.pem"
GLOBAL = """\
{
	admin off
	auto_https off
	persist_config off
	log {
		format console {
			level_format upper
		}
		level WARN
	}
	servers {
		protocols h1 h2
	}
}
"""
ORDERS = """
https://:8182 {
	bind 0.0.0.0
	tls certificate.pem key.pem
	@known header Authorization "Bearer <secret:rest-orders-token>"
	handle @known {
		reverse_proxy http://rest-orders.internal:18182 {
			# the service asks for the token too
		}
	}
	handle {
		header WWW-Authenticate Bearer
		respond 401
	}
}
"""


def lakehouse(*catalogs: str, secure: bool = True) -> tuple[Lakehouse, LocalStack]:
    """The default lakehouse without engines, with these catalogs of kind rest, in a secure stack."""
    entries = {name: KindEntry(kind="rest") for name in catalogs}
    stack = local(default()).model_copy(update={"catalogs": entries, "secure": Secure() if secure else None})
    places = {name: default().catalogs["lake"] for name in catalogs}
    engines = default().engines.model_copy(update={"spark": None, "trino": None})
    update = {"catalogs": places, "stacks": {"local": stack}, "engines": engines}
    return default().model_copy(update=update), stack


def built(*catalogs: str, secure: bool = True) -> dict[str, Service]:
    given, stack = lakehouse(*catalogs, secure=secure)
    return {each.name: each for each in services(given, stack, Somewhere(given, TRUST if secure else ""))}


def test_it_asks_for_a_token_at_each_port_and_forwards_to_the_plain_one() -> None:
    there = built("lake", "orders")
    assert list(there) == ["s3proxy", "postgres", "proxy", "rest", "rest-orders"]
    files = {each.path: as_text(each.text) for each in there["proxy"].files}
    assert files["Caddyfile"].startswith(GLOBAL)
    assert files["Caddyfile"].endswith(ORDERS)
    assert files["Caddyfile"].count("https://:") == 2
    assert [(each.name, each.number, each.scheme) for each in there["proxy"].ports] == [
        ("rest", 8181, "https"),
        ("rest-orders", 8182, "https"),
    ]
    assert all(each.closed for each in there["proxy"].ports)
    assert "token" not in str(there["proxy"].command) + str(there["proxy"].environment)


def test_a_server_behind_it_asks_for_the_token_too() -> None:
    """Its port has no TLS, but is open to every user of this machine."""
    settings = as_text(built("lake")["rest"].files[1].text)
    assert "server.hosts=localhost,rest.internal,proxy.internal,lakehouse.example\n" in settings
    assert "server.token=<secret:rest-token>\n" in settings


def test_its_certificate_is_valid_where_users_and_services_find_it() -> None:
    [key, *_] = built("lake")["proxy"].files
    assert "proxy.internal" in str(key.text)
    assert "lakehouse.example" in str(key.text)


def test_what_is_behind_it_has_another_port_that_nobody_else_needs() -> None:
    server = built("lake")["rest"]
    assert [(each.name, each.number, each.inner) for each in server.ports] == [("rest-plain", 18181, True)]
    assert server.probe.port == 18181
    assert "proxy" in server.needs
    assert "server.port=18181\n" in {each.path: as_text(each.text) for each in server.files}["catalog.properties"]
    assert any("trustStore=/config/rest/" in word for word in server.command)


def test_clients_find_the_proxy_and_have_the_token() -> None:
    given, stack = lakehouse("lake")
    [at] = endpoints(given, stack, Somewhere(given, TRUST)).catalogs
    spark = REST.for_spark(at)
    assert spark[".uri"] == "https://proxy.internal:8181"
    assert as_text(spark[".header.Authorization"]) == "Bearer <secret:rest-token>"
    trino = REST.for_trino(at, "fs.native-s3.enabled", "main")
    assert trino["iceberg.rest-catalog.uri"] == "https://proxy.internal:8181"
    assert trino["iceberg.rest-catalog.security"] == "OAUTH2"
    assert as_text(trino["iceberg.rest-catalog.oauth2.token"]) == "<secret:rest-token>"
    assert REST.for_pyiceberg is not None
    settings = REST.for_pyiceberg(at)
    assert settings["uri"] == "https://lakehouse.example:18181"
    assert as_text(settings["token"]) == "<secret:rest-token>"


def test_there_is_none_in_an_open_stack_or_without_need() -> None:
    there = built("lake", secure=False)
    assert "proxy" not in there
    assert [each.name for each in there["rest"].ports] == ["rest"]
    assert "proxy" not in built()


def test_its_ports_have_their_own_numbers_in_its_container() -> None:
    given, stack = lakehouse("lake", "orders")
    found = listeners(given, stack)
    assert (found["rest-orders"].number, found["rest-orders"].inside) == (8182, 8182)
    assert (found["rest-orders-plain"].number, found["rest-orders-plain"].inside) == (18182, 8181)
    assert not [name for name in listeners(*lakehouse("lake", secure=False)) if name.endswith("-plain")]
