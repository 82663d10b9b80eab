"""Spark's history server as a service."""

from __future__ import annotations

from lakehouse.kinds.compose import services
from lakehouse.kinds.engines.spark_history import check
from lakehouse.services.service import Service
from lakehouse.spec import Lakehouse
from lakehouse.spec.ports import ports
from tests.unit.lakehouse.services.place import Somewhere, as_text, default, local


def asked(**words: object) -> Lakehouse:
    engine = default().engines.spark
    assert engine is not None
    engines = default().engines.model_copy(update={"spark": engine.model_copy(update=words)})
    return default().model_copy(update={"engines": engines})


def built(given: Lakehouse) -> dict[str, Service]:
    return {each.name: each for each in services(given, local(given), Somewhere(given))}


def test_it_is_off_until_the_file_asks_for_it() -> None:
    given = asked()
    assert "spark-history" not in built(given).keys() | ports(given, "local").keys()
    assert "eventLog" not in as_text(built(given)["spark-connect"].files[0].text)


def test_it_reads_what_every_driver_writes() -> None:
    given = asked(history=True, thrift=True)
    found = built(given)
    assert (ports(given, "local")["spark-history"], found["spark-history"].ports[0].number) == (18080, 18080)
    server = found["spark-history"]
    (folder,) = (each for each in server.data if each.endswith("/events"))
    assert f"spark.history.fs.logDirectory={folder}\n" in as_text(server.files[0].text)
    for name in ("spark-connect", "spark-thrift"):
        assert f"spark.eventLog.dir={folder}\n" in as_text(found[name].files[0].text)
        assert "spark-history" in found[name].needs
    assert "secret" not in as_text(server.files[0].text)


def test_it_is_refused_where_drivers_have_no_disk_in_common() -> None:
    given = asked(history=True)
    assert list(check(given)) == []
    contained = {"local": given.stacks["local"].model_copy(update={"runtime": "docker"})}
    (problem,) = check(given.model_copy(update={"stacks": contained}))
    assert problem.at == ("engines", "spark", "history")
    assert "stacks.local has `runtime: docker`" in problem.message
