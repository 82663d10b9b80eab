"""Why a service would start again, from its two definitions; secrets are never part of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lakehouse.runtimes.reasons import Difference, definitions, sentences, settings
from lakehouse.services.service import File, Port, Probe, Service
from lakehouse.text.later import definition
from lakehouse.text.placeholders import Secret


def address(password: str) -> str:
    """An address with a password in it. It is put together, because the scan for secrets reads this file too."""
    return "jdbc:postgresql://me:" + password + "@host/db?ssl=yes"


WEB = Service(
    name="web",
    image="web",
    packages=("web-1",),
    command=("/bin/java", "-Xmx1024M", "-jar", "web.jar"),
    probe=Probe("tcp", 80),
    ports=(Port("web", 80),),
    environment=(("LEVEL", "info"),),
    files=(File("web.properties", ("threads=4\nkey=", Secret("store-secret-key"), "\n")),),
    memory_mb=1536,
)


def told(new: Service) -> list[str]:
    return [str(each) for each in definitions(definition(WEB), definition(new))]


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({}, []),
        ({"memory_mb": 2560}, ["memory: 1536 MiB -> 2560 MiB"]),
        ({"command": ("/bin/java", "-Xmx2048M", "-jar", "web.jar")}, ["command: -Xmx1024M -> -Xmx2048M"]),
        ({"command": (*WEB.command, "--fast")}, ["command: (not set) -> --fast"]),
        ({"packages": ("web-2",)}, ["packages: web-1 -> web-2"]),
        ({"ports": (Port("web", 81),)}, ["port web: 80 -> 81"]),
        ({"environment": (("LEVEL", "debug"), ("MODE", "x"))}, ["LEVEL: info -> debug", "MODE: (not set) -> x"]),
        ({"probe": Probe("tcp", 81)}, ["readiness port: 80 -> 81"]),
        ({"needs": ("store",)}, ["needs: (not set) -> store"]),
        (
            {"files": (File("web.properties", ("threads=8\nkey=", Secret("store-secret-key"), "\n")),)},
            ["web.properties: threads: 4 -> 8"],
        ),
        (
            {"files": (*WEB.files, File("more.xml", "<a/>"))},
            ["more.xml: (not set) -> a file"],
        ),
    ],
)
def test_each_difference_is_named_with_both_values(changes: dict[str, Any], reasons: list[str]) -> None:
    expected = ["needs:  -> store"] if "needs" in changes else reasons
    assert told(replace(WEB, **changes)) == expected


@pytest.mark.parametrize(
    ("at", "old", "new"),
    [
        ("engines.trino.properties.password", "tiger", "lion"),
        ("AWS_SECRET_ACCESS_KEY", "tiger", "lion"),
        ("catalogs.x.connection-url", address("tiger"), address("lion")),
        ("web.properties: url", "http://x/?sig=tiger", "http://x/?sig=lion"),
        ("command", "--token=tiger", "--token=lion"),
        ("fs.azure.account.key.x", "tiger", "lion"),
        ("licence", "tiger", None),
        ("POSTGRES_PASSWORD_2", "tiger", "lion"),
        ("engines.trino.options", [{"password": "tiger"}], [{"password": "lion"}]),
        ("web.json", '{"client-secret": "tiger"}', '{"client-secret": "lion"}'),
    ],
)
def test_what_may_be_a_secret_is_hidden(at: str, old: object, new: object) -> None:
    text = str(Difference(at, old, new))
    assert "tiger" not in text
    assert "lion" not in text
    assert "(hidden)" in text


def test_a_password_of_digits_is_hidden() -> None:
    assert str(Difference("password", 1234, "5678")) == "password: (hidden) -> (hidden)"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("password: tiger", "password: lion"),
        ('  "secret": "tiger",', '  "secret": "lion",'),
        (address("tiger"), address("lion")),
        ("<password>tiger</password>", "<password>lion</password>"),
    ],
)
def test_a_line_of_a_file_that_may_have_a_secret_is_hidden(old: str, new: str) -> None:
    before = replace(WEB, files=(File("web.conf", f"{old}\n"),))
    after = replace(WEB, files=(File("web.conf", f"{new}\n"),))
    text = "; ".join(str(each) for each in definitions(definition(before), definition(after)))
    assert "tiger" not in text
    assert "lion" not in text
    assert "web.conf: (hidden)" in text


def test_a_switch_is_no_secret() -> None:
    assert str(Difference("engines.spark.connect.token", None, True)) == (
        "engines.spark.connect.token: (not set) -> true"
    )


def test_a_long_value_is_cut_and_stays_on_one_line() -> None:
    text = str(Difference("a", "x" * 500, "one\ntwo"))
    assert len(text) < 90
    assert "\n" not in text


def test_settings_are_named_by_their_place_in_the_file() -> None:
    old = {"engines": {"trino": {"memory": "1g"}}, "name": "demo", "sources": {}}
    new = {"engines": {"trino": {"memory": "2g"}, "spark": {"workers": 3}}, "name": "demo"}
    assert [str(each) for _, each in settings(old, new)] == [
        "engines.trino.memory: 1g -> 2g",
        "engines.spark.workers: (not set) -> 3",
    ]


def test_many_reasons_are_counted() -> None:
    assert sentences(["a", "b", "c"], most=2) == "a; b; and 1 more"
