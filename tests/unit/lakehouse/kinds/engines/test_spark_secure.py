"""Spark in a secure stack: what its parts ask each other and their users, and what its entry cannot have."""

from __future__ import annotations

import base64
import hmac
import json

from lakehouse.kinds.compose import services
from lakehouse.kinds.engines.spark_secure import SECURED, check
from lakehouse.services.service import Service
from lakehouse.spec import Lakehouse, LocalStack
from lakehouse.spec.engines import Connect
from lakehouse.spec.further import covers
from lakehouse.spec.stacks import Secure
from lakehouse.text.placeholders import Secret, Signed, filled
from tests.unit.lakehouse.services.place import Somewhere, as_text, default, local

CLUSTER = {
    "spark.authenticate": "true",
    "spark.authenticate.secret": "<secret:spark-cluster>",
    "spark.network.crypto.enabled": "true",
    "spark.network.crypto.saslFallback": "false",
    "spark.ui.filters": "org.apache.spark.ui.JWSFilter",
    "spark.org.apache.spark.ui.JWSFilter.param.secretKey": "<secret:spark-pages><secret:spark-pages>",
}
CONNECT = """
https://:15002 {
	bind 0.0.0.0
	tls certificate.pem key.pem
	@known header Authorization "Bearer <secret:spark-connect-token>"
	handle @known {
		reverse_proxy h2c://spark-connect.internal:25002 {
			flush_interval -1
		}
	}
	handle {
		header WWW-Authenticate Bearer
		respond 401
	}
}
"""
PAGE = """
https://:8080 {
	bind 0.0.0.0
	tls certificate.pem key.pem
	basic_auth {
		lakehouse <hashed:pages-password>
	}
	reverse_proxy http://spark-master.internal:18080 {
		header_up Authorization "Bearer <signed:spark-pages>"
		header_down Location ^http:// https://
	}
}
"""


def lakehouse(*, secure: bool = True, **spark: object) -> tuple[Lakehouse, LocalStack]:
    """The default lakehouse, whose Spark Connect asks for a token."""
    stack = local(default()).model_copy(update={"secure": Secure() if secure else None})
    assert default().engines.spark is not None
    asked = default().engines.spark.model_copy(update={"connect": Connect(token=True), **spark})  # type: ignore[union-attr]
    engines = default().engines.model_copy(update={"spark": asked})
    return default().model_copy(update={"stacks": {"local": stack}, "engines": engines}), stack


def built(*, secure: bool = True, **spark: object) -> dict[str, Service]:
    given, stack = lakehouse(secure=secure, **spark)
    place = Somewhere(given, "/state/authority.pem" if secure else "")
    return {each.name: each for each in services(given, stack, place)}


def settings(service: Service, file: str) -> dict[str, str]:
    text = next(as_text(each.text) for each in service.files if each.path == file)
    return dict(line.split("=", 1) for line in text.splitlines())


FILES = {"spark-master": "spark.conf", "spark-worker-1": "spark.conf", "spark-connect": "spark-defaults.conf"}


def test_all_parts_know_the_secret_of_the_cluster_and_no_command_has_it() -> None:
    there = built()
    for name, file in FILES.items():
        found = settings(there[name], file)
        assert {key: found.get(key) for key in CLUSTER} == CLUSTER, name
        assert "spark-cluster" not in str(there[name].command) + str(there[name].environment)
        assert "proxy" in there[name].needs or "spark-master" in there[name].needs
    open_ones = built(secure=False)
    assert not [key for name, file in FILES.items() for key in settings(open_ones[name], file) if key in CLUSTER]


def test_connect_and_the_pages_are_behind_the_proxy() -> None:
    there = built()
    file = next(as_text(each.text) for each in there["proxy"].files if each.path == "Caddyfile")
    assert CONNECT in file
    assert PAGE in file
    found = settings(there["spark-connect"], "spark-defaults.conf")
    assert found["spark.connect.grpc.binding.port"] == "25002"
    assert found["spark.connect.authenticate.token"] == "<secret:spark-connect-token>"
    assert found["spark.ui.port"] == "14040"
    assert [(each.name, each.inner) for each in there["spark-connect"].ports] == [
        ("spark-connect-plain", True),
        ("spark-connect-ui-plain", True),
    ]
    assert {each.gives for name in FILES for each in there[name].ports} == {""}


def test_without_a_cluster_no_page_of_one_is_behind_the_proxy() -> None:
    there = built(cluster=False)
    assert {each for each in there if each.startswith("spark")} == {"spark-connect"}
    assert "proxy" in there["spark-connect"].needs
    file = next(as_text(each.text) for each in there["proxy"].files if each.path == "Caddyfile")
    assert CONNECT in file
    assert "spark-connect.internal:14040" in file
    assert "spark-master" not in file
    assert "spark-worker" not in file


def test_drivers_and_executors_trust_the_stack() -> None:
    there = built()
    for name in ("spark-master", "spark-connect"):
        assert any("trustStore=" in word for word in there[name].command)
    executors = dict(there["spark-worker-1"].environment)["JDK_JAVA_OPTIONS"]
    assert '"-Djavax.net.ssl.trustStore=/config/spark-worker-1/truststore.p12"' in executors
    assert "JDK_JAVA_OPTIONS" not in dict(built(secure=False)["spark-worker-1"].environment)


def test_tokens_in_headers_are_not_shown() -> None:
    found = settings(built()["spark-connect"], "spark-defaults.conf")["spark.redaction.regex"]
    assert found.endswith("|authorization")


def test_a_page_is_asked_with_a_token_that_its_filter_knows() -> None:
    text = filled(Signed(Secret("spark-pages")), lambda name: "ab" * 20)
    head, claims, signature = (base64.urlsafe_b64decode(each + "==") for each in text.split("."))
    assert json.loads(head) == {"alg": "HS256", "typ": "JWT"}
    assert json.loads(claims) == {}
    key = base64.urlsafe_b64decode("ab" * 40)
    assert signature == hmac.digest(key, text.rpartition(".")[0].encode(), "sha256")


def test_what_cannot_be_secured_is_refused() -> None:
    assert list(check(lakehouse()[0])) == []
    [old] = check(lakehouse(version="4.0")[0])
    assert (old.at, "4.1" in old.message) == (("engines", "spark", "version"), True)
    [nobody] = check(lakehouse(connect=Connect())[0])
    assert "{token: true}" in nobody.message
    [thrift] = check(lakehouse(thrift=True)[0])
    assert "LDAP or Kerberos" in thrift.message


def test_no_property_replaces_what_the_cluster_and_the_pages_ask_for() -> None:
    defaults = settings(built()["spark-connect"], "spark-defaults.conf")
    own = [*CLUSTER, "spark.driver.bindAddress", "spark.redaction.regex", "spark.ui.killEnabled"]
    assert set(own) <= defaults.keys()
    assert [key for key in own if not any(covers(each, key) for each in SECURED)] == []
    assert [each for each in SECURED if covers(each, "spark.sql.shuffle.partitions")] == []
