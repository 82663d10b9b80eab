"""Caddy, in front of services without TLS or without a login: in a secure stack, users and services reach them by it.

A service behind it listens on another port, only on the loopback address, or in its containers' network. So each host
has a proxy of its own, and on this machine all services share one. The proxy ends TLS with the stack's certificate, and
forwards what has the right token, or, from browsers, the password.
https://caddyserver.com/docs/caddyfile
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lakehouse.services.certificate import Certificate
from lakehouse.services.service import File, Place, Port, Probe, Service
from lakehouse.spec.ports import plain
from lakehouse.text.placeholders import Hashed, Secret, Text, joined

PACKAGE = "caddy-2.11.7"
BARRED = "{}*"  # characters of a token that it would read as more than text
USER, PASSWORD = "lakehouse", Secret("pages-password", "password")  # of pages in a browser

_KEY, _CERTIFICATE = "key.pem", "certificate.pem"
_GLOBAL = """\
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


@dataclass(frozen=True)
class Route:
    """A way through the proxy. ``port`` is what the proxy listens on, ``service`` what has the plain port behind it.

    Clients show the ``token``. Without one, they are browsers, which ask their users for :data:`PASSWORD`.
    """

    port: Port
    service: str
    token: Secret | None = None
    grpc: bool = False  # it speaks HTTP/2 without TLS, and asks for the token too
    shows: Text = ""  # the Authorization that the proxy shows to the service


def token(name: str) -> Secret:
    """The token that the proxy asks for on the port of that name."""
    return Secret(f"{name}-token", barred=BARRED)


def services(place: Place, routes: Iterable[Route]) -> tuple[Service, ...]:
    """The proxies with these routes, each with those to what is behind it."""
    found: dict[str, list[Route]] = {}
    for each in routes:
        found.setdefault(place.behind(each.service).proxy, []).append(each)
    return tuple(_service(place, name, own) for name, own in found.items())


def _service(place: Place, name: str, routes: Sequence[Route]) -> Service:
    config, data = place.config(name), place.data(name)
    certificate = Certificate.of(name, place.host(name), (place.external(each.port.name) for each in routes))
    program = f"{place.package(PACKAGE)}/caddy"
    return Service(
        name=name,
        image=PACKAGE,
        packages=(PACKAGE,),
        # Paths in its file are relative to the folder in which it starts, so none of them needs to be quoted.
        command=(program, "run", "--config", f"{config}/Caddyfile", "--adapter", "caddyfile"),
        environment=(("HOME", data), ("XDG_CONFIG_HOME", data), ("XDG_DATA_HOME", data)),
        files=(
            File(_KEY, certificate.key),
            File(_CERTIFICATE, certificate.chain),
            File("Caddyfile", joined([_GLOBAL, *(part for each in routes for part in _site(place, each))])),
        ),
        data=(data,),
        ports=tuple(each.port for each in routes),
        probe=Probe("tcp", routes[0].port.number),
        memory_mb=128,
        renewal="USR1",  # it reads its files again, and connections go on: https://github.com/caddyserver/caddy/pull/7258
    )


def _site(place: Place, route: Route) -> Iterator[Text]:
    upstream = f"{place.behind(route.service).host}:{place.port(plain(route.port.name))}"
    yield f"""
https://:{route.port.number} {{
	bind {place.bind()}
	tls {_CERTIFICATE} {_KEY}
"""
    yield from _of_a_page(route, upstream) if route.token is None else _of_clients(route.token, route, upstream)
    yield "}\n"


def _of_clients(token: Secret, route: Route, upstream: str) -> Iterator[Text]:
    yield '\t@known header Authorization "Bearer '
    yield token
    yield f""""
	handle @known {{
		reverse_proxy {"h2c" if route.grpc else "http"}://{upstream} {{
			{"flush_interval -1" if route.grpc else "# the service asks for the token too"}
		}}
	}}
	handle {{
		header WWW-Authenticate Bearer
		respond 401
	}}
"""


def _of_a_page(route: Route, upstream: str) -> Iterator[Text]:
    """The service behind it believes that it has no TLS, so the addresses to which it redirects are corrected."""
    yield f"\tbasic_auth {{\n\t\t{USER} "
    yield Hashed(PASSWORD)
    yield f"""
	}}
	reverse_proxy http://{upstream} {{
		header_up Authorization \""""
    yield route.shows
    yield """"
		header_down Location ^http:// https://
	}
"""
