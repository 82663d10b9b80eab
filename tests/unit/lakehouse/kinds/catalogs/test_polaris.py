"""Polaris as a service, and its clients' settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.errors import UsageError
from lakehouse.kinds.catalogs import polaris
from lakehouse.kinds.catalogs.polaris import IMAGE, POLARIS, PolarisEntry, look
from lakehouse.kinds.compose import endpoints, services
from lakehouse.kinds.platform.postgres import Database
from lakehouse.runtimes import credentials
from lakehouse.services.service import Address, Service
from lakehouse.spec import LocalStack
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.model import Lakehouse
from lakehouse.spec.stacks import Secure
from lakehouse.text.placeholders import Text
from tests.polaris.home import written
from tests.unit.lakehouse.services.place import Somewhere, as_text, default, local

LAKE = PolarisEntry(kind="polaris", home="unpacked/polaris", realm="LAKES", warehouse="quickstart_catalog")


class Here(Somewhere):
    """A place whose internal and external addresses are the same."""

    def host(self, service: str) -> str:
        return "127.0.0.1"

    def external(self, port: str) -> Address:
        return Address("127.0.0.1", self.port(port))


def lakehouse(store: str = "s3proxy", lake: PolarisEntry = LAKE) -> tuple[Lakehouse, LocalStack]:
    """The default lakehouse with two catalogs of kind polaris."""
    catalogs = {"lake": lake, "other": PolarisEntry(kind="polaris")}
    stack = local(default()).model_copy(update={"catalogs": catalogs, "store": KindEntry(kind=store)})
    places = {"lake": default().catalogs["lake"], "other": default().catalogs["lake"]}
    return default().model_copy(update={"catalogs": places, "stacks": {"local": stack}}), stack


def server(lake: PolarisEntry = LAKE) -> Service:
    given, stack = lakehouse(lake=lake)
    [found] = [each for each in services(given, stack, Somewhere(given)) if each.name.startswith("polaris")]
    return found


def clients(store: str, place: type[Somewhere]) -> list[dict[str, Text]]:
    """The settings of Spark, Trino and PyIceberg for the first catalog."""
    given, stack = lakehouse(store)
    at = endpoints(given, stack, place(given)).catalogs[0]
    assert POLARIS.for_pyiceberg is not None
    return [dict(each) for each in (POLARIS.for_spark(at), POLARIS.for_trino(at, "s3", ""), POLARIS.for_pyiceberg(at))]


def test_one_server_carries_all_catalogs_from_the_distribution_that_the_file_names() -> None:
    service = server()
    assert service.command == ("/beside/unpacked/polaris/bin/server",)
    environment = dict(service.environment)
    assert environment["JAVA_HOME"] == "/java-25"
    assert " " not in environment["POLARIS_JAVA_OPTS"].replace(" -X", "-X")
    assert service.needs == ("s3proxy", "postgres")


@pytest.mark.parametrize(
    ("jar", "found"),
    [
        ("lib/main/org.apache.polaris.polaris-core-1.4.1.jar", "1.4"),
        ("app/polaris-server-1.3.0-incubating.jar", "1.3"),
        ("lib/main/org.apache.polaris.polaris-core-0.9.0.jar", "0.9"),
        ("lib/main/org.apache.polaris.polaris-core-1.5.0.jar", ""),
        ("app/polaris-server-1.10.0-SNAPSHOT.jar", ""),
        ("app/polaris-server-2.0.jar", ""),
        ("app/polaris-server.jar", ""),
        ("lib/main/org.example.polaris-driver-1.0.0.jar", ""),
        ("lib/main/org.apache.iceberg.iceberg-core-1.4.0.jar", ""),
    ],
)
def test_a_distribution_that_reads_no_credentials_from_its_settings_is_refused(
    tmp_path: Path, jar: str, found: str
) -> None:
    for name in ("bin/server", f"server/{jar}"):
        (tmp_path / "polaris" / name).parent.mkdir(parents=True)
        (tmp_path / "polaris" / name).touch(mode=0o755)
    entry = PolarisEntry(kind="polaris", home="polaris")
    problems = [(each.catalog, each.key, each.message) for each in look({"lake": entry}, tmp_path)]
    if not found:
        assert problems == []
        return
    [(catalog, key, message)] = problems
    assert (catalog, key) == ("lake", "home")
    assert message.startswith(f'"polaris" has Polaris {found}: an older server than 1.5 ')


def test_the_double_is_accepted(tmp_path: Path) -> None:
    made = written(tmp_path)
    assert list(look({"lake": PolarisEntry(kind="polaris", home=str(made))}, tmp_path)) == []


def test_its_settings_and_the_keys_of_the_store_are_in_files_and_nowhere_else() -> None:
    service = server()
    files = {each.path: as_text(each.text) for each in service.files}
    settings = files["application.properties"]
    assert "quarkus.http.host=0.0.0.0\nquarkus.http.port=8181\n" in settings
    assert "polaris.bootstrap.credentials=LAKES,<secret:polaris-root-name>,<secret:polaris-root-secret>\n" in settings
    assert "quarkus.datasource.jdbc.url=jdbc:postgresql://postgres.internal:5432/polaris\n" in settings
    for line in (
        "quarkus.http.access-log.enabled=true",
        "quarkus.http.access-log.pattern=common",
        'quarkus.log.category."io.quarkus.http.access-log".level=INFO',
    ):
        assert f"{line}\n" in settings, "`lakehouse access log` reads it"
    assert "aws_secret_access_key = <secret:store-secret-key>\n" in files["credentials"]
    outside = str((service.environment, service.command))
    assert "secret" not in outside
    assert dict(service.environment)["QUARKUS_CONFIG_LOCATIONS"] == "file:///config/polaris/application.properties"


@pytest.mark.parametrize("key", ["name", "value"])
@pytest.mark.parametrize("sign", [",", ";", "$$", "${", " ", "\t", ":"])
def test_root_is_refused_with_a_character_that_the_server_or_a_client_splits_it_at(
    tmp_path: Path, key: str, sign: str
) -> None:
    path = tmp_path / "credentials.env"
    path.write_text(f"polaris-root.{key}=HIDDEN{sign}x\n")
    path.chmod(0o600)
    known = credentials.known([server()])
    if (key, sign) == ("value", ":"):
        assert list(credentials.read(path, known).values()) == ["HIDDEN:x"]
        return
    with pytest.raises(UsageError, match=rf"a value of polaris-root\.{key} ") as error:
        credentials.read(path, known)
    assert "HIDDEN" not in str(error.value)


def test_in_a_container_the_image_has_the_server() -> None:
    service = server(PolarisEntry(kind="polaris"))
    assert service.image == IMAGE
    assert service.command[-2:] == ("-jar", f"/packages/{IMAGE}")
    assert "JAVA_HOME" not in dict(service.environment)


def test_clients_prove_who_they_are_and_know_the_catalog_by_the_servers_name() -> None:
    spark, trino, pyiceberg = clients("s3proxy", Somewhere)
    assert spark[".uri"] == "http://polaris.internal:8181/api/catalog"
    assert spark[".warehouse"] == trino["iceberg.rest-catalog.warehouse"] == "quickstart_catalog"
    assert as_text(spark[".credential"]) == "<secret:polaris-root-name>:<secret:polaris-root-secret>"
    assert trino["iceberg.rest-catalog.security"] == "OAUTH2"
    assert pyiceberg["oauth2-server-uri"] == "http://lakehouse.example:18181/api/catalog/v1/oauth/tokens"


def test_clients_have_the_stores_keys_if_it_has_no_others_to_give() -> None:
    spark, trino, pyiceberg = clients("s3proxy", Here)
    assert ".s3.access-key-id" in spark
    assert "s3.aws-access-key" in trino
    assert pyiceberg["header.X-Iceberg-Access-Delegation"] == ""


def test_clients_get_keys_for_each_table_if_the_store_gives_them() -> None:
    given, stack = lakehouse("minio")
    assert POLARIS.storage is not None
    reported = POLARIS.storage(endpoints(given, stack, Here(given)).catalogs[0])
    assert "stsUnavailable" not in reported
    assert reported["stsEndpoint"] == "http://127.0.0.1:9000"
    spark, trino, pyiceberg = clients("minio", Here)
    assert not [key for each in (spark, trino, pyiceberg) for key in each if "secret" in key or "access-key" in key]
    assert spark[".header.X-Iceberg-Access-Delegation"] == "vended-credentials"
    assert trino["iceberg.rest-catalog.vended-credentials-enabled"] == "true"


def test_keys_are_not_given_away_with_an_address_that_is_not_everybodys() -> None:
    given, stack = lakehouse("minio")
    assert POLARIS.storage is not None
    assert POLARIS.storage(endpoints(given, stack, Somewhere(given)).catalogs[0])["stsUnavailable"] is True


def test_in_a_secure_stack_its_interfaces_have_tls_and_its_jvm_trusts_the_stack() -> None:
    given, stack = lakehouse()
    stack = stack.model_copy(update={"secure": Secure()})
    given = given.model_copy(update={"stacks": {"local": stack}})
    place = Somewhere(given, "/state/authority.pem")
    at = endpoints(given, stack, place).catalogs[0]
    [service] = polaris.server(place, at, LAKE)
    assert [(each.name, each.scheme, each.closed) for each in service.ports] == [
        ("polaris", "https", True),
        ("polaris-management", "http", False),
    ]
    settings = as_text(service.files[0].text).splitlines()
    for line in (
        "quarkus.http.ssl-port=8181",
        "quarkus.http.insecure-requests=disabled",
        "quarkus.http.ssl.certificate.key-files=/config/polaris/key.pem",
        f"quarkus.datasource.jdbc.url={Database.of('polaris').jdbc(place)}",
    ):
        assert line in settings
    # Its program splits POLARIS_JAVA_OPTS at spaces, which the path may have.
    options = dict(service.environment)["JDK_JAVA_OPTIONS"]
    assert '"-Djavax.net.ssl.trustStore=/config/polaris/truststore.p12"' in options
    assert as_text(POLARIS.for_spark(at)[".oauth2-server-uri"]).startswith("https://polaris.internal:8181/")
    assert "JDK_JAVA_OPTIONS" not in dict(server().environment)
    assert not any("ssl" in line for line in as_text(server().files[0].text).splitlines())
