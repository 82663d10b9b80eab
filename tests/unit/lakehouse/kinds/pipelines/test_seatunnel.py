from __future__ import annotations

import json
from typing import Any

from lakehouse.kinds.compose import services
from lakehouse.kinds.pipelines.seatunnel import CLUSTER, S3A, WORD
from lakehouse.services.service import Service
from lakehouse.spec import Lakehouse
from lakehouse.spec.ports import ports
from lakehouse.text.placeholders import Content
from tests.unit.lakehouse.kinds.pipelines.streaming import ORDERS, lakehouse
from tests.unit.lakehouse.services.place import Somewhere, as_text, local

TOPIC: dict[str, Any] = {**ORDERS, "engine": "seatunnel"}
JOB: dict[str, Any] = {"engine": "seatunnel", "from": {"config": "jobs/a.conf"}, "to": "lake.raw.orders"}
FILES: dict[str, Any] = {**JOB, "from": {"files": {"path": "s3://warehouse/in"}}}
HTTP: dict[str, Any] = {**JOB, "from": {"http": {"url": "https://api.example.com/rates", "seconds": 300}}}


def of(given: Lakehouse) -> Service:
    [found] = [each for each in services(given, local(given), Somewhere(given)) if each.name == WORD]
    return found


def files(service: Service) -> dict[str, Any]:
    return {each.path: each.text for each in service.files}


def test_a_stack_has_only_the_engines_that_pipelines_name() -> None:
    given = lakehouse({"orders": TOPIC})
    assert [each.name for each in services(given, local(given), Somewhere(given))][-2:] == ["kafka", WORD]
    assert {WORD, CLUSTER} <= ports(given, "local").keys()
    assert "connect" not in ports(given, "local")
    both = lakehouse({"orders": TOPIC, "more": ORDERS})
    assert [each.name for each in services(both, local(both), Somewhere(both))][-3:] == ["kafka", WORD, "connect"]


def test_every_job_has_a_file_and_a_number_and_says_when_it_starts_again() -> None:
    found = files(of(lakehouse({"orders": TOPIC, "own": JOB, "rates": HTTP})))
    jobs = json.loads(as_text(found["jobs.json"]))
    assert {name: each["every"] for name, each in jobs.items()} == {"orders": 5, "own": 0, "rates": 300}
    assert [bool(each["group"]) for each in jobs.values()] == [True, False, False]
    assert [each["topic"] for each in jobs.values()] == ["orders", "", ""]
    assert [each["once"] for each in jobs.values()] == [True, False, True], "one of the user's says where it writes to"
    assert all(each["number"].isdigit() for each in jobs.values())  # text: they are more than a number of JSON holds
    assert json.loads(as_text(found["orders.conf"]))["env"]["job.name"] == "orders"
    assert found["own.conf"] == Content("/beside/jobs/a.conf", public=True)
    assert "orders.values.conf" not in found
    assert "<secret:pipeline-own>" in as_text(found["own.values.conf"])


def test_no_secret_is_in_a_command_or_in_the_environment() -> None:
    found = of(lakehouse({"orders": TOPIC, "own": JOB}))
    assert "secret" not in " ".join((*found.command, *(value for _, value in found.environment)))


def test_the_classes_come_in_the_order_that_it_needs() -> None:
    found = of(lakehouse({"orders": TOPIC}))
    first, second, *others = dict(found.environment)["CLASSPATH"].split(":")
    assert first.endswith("/seatunnel-config-shade-2.3.8.jar")
    assert second == "/packages/seatunnel-2.3.8/*"
    assert not any("iceberg" in each for each in others)  # in the connector's class loader


def test_classes_for_buckets_are_there_only_for_files_of_buckets() -> None:
    assert S3A not in of(lakehouse({"orders": TOPIC})).packages
    found = of(lakehouse({"files": FILES}))
    assert S3A in found.packages
    assert f"/packages/{S3A}/*" in dict(found.environment)["CLASSPATH"]


def test_its_engine_listens_on_loopback_without_an_api_and_the_script_where_services_do() -> None:
    given = lakehouse({"orders": TOPIC})
    found = of(given)
    network = json.loads(as_text(files(found)["hazelcast.yaml"]))["hazelcast"]["network"]
    assert network["rest-api"] == {"enabled": False}
    assert network["interfaces"] == {"enabled": True, "interfaces": ["127.0.0.1"]}
    assert network["join"]["multicast"] == network["join"]["auto-detection"] == {"enabled": False}
    assert network["port"] == {"auto-increment": False, "port": ports(given, "local")[CLUSTER]}
    assert found.command[-5:-3] == ("0.0.0.0", str(ports(given, "local")[WORD]))


def test_the_script_may_call_javas_http_server() -> None:
    """Its class is public, and its package is not, so BeanShell is refused without that."""
    command = of(lakehouse({"orders": TOPIC})).command
    assert "--add-exports=jdk.httpserver/sun.net.httpserver=ALL-UNNAMED" in command


def test_checkpoints_outlive_the_server() -> None:
    found = of(lakehouse({"orders": TOPIC}))
    storage = json.loads(as_text(files(found)["seatunnel.yaml"]))["seatunnel"]["engine"]["checkpoint"]["storage"]
    assert storage["plugin-config"]["namespace"].startswith(f"{found.data[0]}/")
