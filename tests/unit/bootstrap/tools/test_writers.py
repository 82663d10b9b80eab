"""The configuration of every tool for every kind of catalog, word by word: the files in golden/.

After a change that is meant: LAKEHOUSE_GOLDEN=write python -m pytest tests/unit/bootstrap/tools
"""

from __future__ import annotations

import os
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyiceberg.utils.config import Config
from ruamel.yaml import YAML

from bootstrap.session.target import find
from bootstrap.tools import reach
from bootstrap.tools.writers import WRITERS, writer
from lakehouse.errors import UsageError
from lakehouse.runtimes.certificates import bundle
from lakehouse.runtimes.owner import mark
from tests.unit.bootstrap.tools.stacks import CASES, CATALOGS, RUNTIMES, stack, write

GOLDEN = Path(__file__).parent / "golden"
ENGINES = ("dbt", "sqlmesh", "spark", "trino")


def golden() -> Iterator[tuple[str, str]]:
    for case in CASES:
        yield from ((case, tool) for tool in WRITERS if case in RUNTIMES or tool not in ENGINES)


@pytest.mark.parametrize(("case", "tool"), golden())
def test_the_configuration_is_as_it_was(case: str, tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = WRITERS[tool](stack(case, tmp_path, monkeypatch)).replace(str(tmp_path), "/project") + "\n"
    path = GOLDEN / case / f"{tool}.txt"
    if os.environ.get("LAKEHOUSE_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("tool", ["dbt", "sqlmesh", "trino", "env"])
def test_the_configuration_for_a_trino_with_passwords_names_the_file_of_the_password(tool: str, tmp_path: Path) -> None:
    path = tmp_path / "lakehouse.yaml"
    write("process", path)
    path.write_text(path.read_text().replace('trino: {version: "476"}', "trino: {authentication: password}"))
    target = find(path, None)
    mark(target.located.state, target.located.claim)
    target.local.state.keep("trino-password", "word")
    text = WRITERS[tool](reach.of(target)).replace(str(tmp_path), "/project") + "\n"
    golden = GOLDEN / "password" / f"{tool}.txt"
    if os.environ.get("LAKEHOUSE_GOLDEN") == "write":
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text()
    assert "word\n" not in text


SECURE = """\
name: demo
buckets: {lakehouse: {}}
catalogs: {lake: {location: "s3://lakehouse/lake"}}
engines: {trino: {authentication: password}}
stacks:
  local: {runtime: process, store: seaweedfs, secure: true, catalogs: {lake: nessie}}
"""


@pytest.mark.parametrize("tool", ["env", "duckdb", "pyiceberg", "dlt"])
def test_the_configuration_for_a_secure_stack_names_the_authorities_to_trust(tool: str, tmp_path: Path) -> None:
    path = tmp_path / "lakehouse.yaml"
    path.write_text(SECURE)
    target = find(path, None)
    mark(target.located.state, target.located.claim)
    text = WRITERS[tool](reach.of(target)).replace(str(tmp_path), "/project") + "\n"
    golden = GOLDEN / "secure" / f"{tool}.txt"
    if os.environ.get("LAKEHOUSE_GOLDEN") == "write":
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text()
    assert "http://" not in text


def test_a_client_of_connect_in_a_secure_stack_is_told_what_it_trusts(tmp_path: Path) -> None:
    path = tmp_path / "lakehouse.yaml"
    path.write_text(
        "name: demo\nbuckets: {warehouse: {}}\ncatalogs: {lake: {location: s3://warehouse/lake}}\n"
        "engines: {spark: {connect: {token: true}}}\n"
        "stacks: {local: {runtime: process, secure: true, store: seaweedfs, catalogs: {lake: nessie}}}\n"
    )
    target = find(path, None)
    mark(target.located.state, target.located.claim)
    assert 'remote("sc://localhost:15002/;use_ssl=true")' in WRITERS["spark"](reach.of(target))
    text = WRITERS["env"](reach.of(target))
    assert "export SPARK_REMOTE='sc://localhost:15002/;use_ssl=true'\n" in text
    assert f"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH={bundle(target.local.state)}" in text


@pytest.mark.parametrize("tool", ENGINES)
def test_engines_of_a_stack_in_aws_are_outside_of_the_file(
    tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"stacks\.aws is in AWS.*Terraform's outputs"):
        WRITERS[tool](stack("aws", tmp_path, monkeypatch))


@pytest.mark.parametrize(("tool", "entry"), [("trino", "engines.trino"), ("spark", "engines.spark with connect: true")])
def test_a_tool_without_its_engine_is_told_what_to_add(tool: str, entry: str, tmp_path: Path) -> None:
    path = tmp_path / "lakehouse.yaml"
    path.write_text(
        "name: demo\nbuckets: {warehouse: {}}\ncatalogs: {lake: {location: s3://warehouse/lake}}\nengines: {}\n"
        "stacks: {local: {runtime: process, store: s3proxy, catalogs: {lake: nessie}}}\n"
    )
    with pytest.raises(UsageError, match=entry):
        WRITERS[tool](reach.of(find(path, None)))


def test_an_unknown_tool_and_an_unknown_catalog_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r'no configuration for "duckdbs", .*Did you mean "duckdb"\?'):
        writer("duckdbs")
    with pytest.raises(UsageError, match=r'--catalog: there is no catalog "lake" in the file; it has nessie, '):
        stack("process", tmp_path, monkeypatch).choose("lake")


@pytest.mark.parametrize("tool", WRITERS)
def test_no_key_is_printed(tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = _deployed(tmp_path)
    text = WRITERS[tool](stack("process", tmp_path, monkeypatch))
    assert [name for name, value in state.items() if value in text] == []


def test_a_shell_reads_the_keys_from_their_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "it's a $HOME"
    folder.mkdir()
    state = _deployed(folder)
    script = WRITERS["env"](stack("process", folder, monkeypatch)) + "\nenv -0"
    done = subprocess.run(["sh", "-c", script], env={"PATH": os.environ["PATH"]}, capture_output=True, check=True)
    found = dict(each.split("=", 1) for each in done.stdout.decode().split("\0") if each)
    assert found["PYICEBERG_CATALOG__REST__S3__SECRET_ACCESS_KEY"] == state["store-secret-key"]
    assert found["PYICEBERG_CATALOG__POLARIS__CREDENTIAL"] == f"root:{state['polaris-root-secret']}"
    assert found["PYICEBERG_CATALOG__GLUE__GLUE__ACCESS_KEY_ID"] == state["glue-access-key"]
    assert found["SPARK_CONNECT_AUTHENTICATE_TOKEN"] == state["spark-connect-token"]
    assert found["PYICEBERG_CATALOG__NESSIE__HEADER__X_ICEBERG_ACCESS_DELEGATION"] == ""
    assert not any(name.startswith("AWS_") for name in found)  # the shell's own keys for AWS stay


def test_pyiceberg_reads_the_file_and_the_variables_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = stack("process", tmp_path, monkeypatch)
    (tmp_path / ".pyiceberg.yaml").write_text(WRITERS["pyiceberg"](given))
    monkeypatch.setenv("PYICEBERG_HOME", str(tmp_path))
    monkeypatch.setenv("PYICEBERG_CATALOG__MY_LAKE__S3__SECRET_ACCESS_KEY", "key")
    config = Config()
    assert set(config.get_known_catalogs()) == {reach.clients_name(each) for each in CATALOGS}
    mine = config.get_catalog_config("my-lake")
    assert mine is not None
    assert (mine["type"], mine["warehouse"], mine["s3.secret-access-key"]) == ("rest", "my_lake", "key")


def test_files_have_the_form_that_their_tools_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = stack("process", tmp_path, monkeypatch).choose("my_lake")
    dlt = tomllib.loads(WRITERS["dlt"](given))
    assert dlt["iceberg_catalog"]["iceberg_catalog_name"] == "my-lake"
    assert dlt["destination"]["filesystem"]["bucket_url"] == "s3://lakehouse/my"
    yaml = YAML(typ="safe", pure=True)
    profile = yaml.load(WRITERS["dbt"](given))["demo"]
    assert profile["target"] == "my_lake"
    assert profile["outputs"]["hive"]["database"] == "hive"
    assert profile["outputs"]["hive_spark"]["server_side_parameters"] == {"spark.sql.defaultCatalog": "hive"}
    gateways = yaml.load(WRITERS["sqlmesh"](given))["gateways"]
    assert list(gateways) == list(CATALOGS)
    for program in ("spark", "trino"):
        compile(WRITERS[program](given), program, "exec")


def _deployed(folder: Path) -> dict[str, str]:
    """The secrets of a stack that was deployed, by name."""
    path = folder / "lakehouse.yaml"
    write("process", path)
    local = find(path, None).local
    local.state.prepare()
    mark(local.state, local.claim)
    secrets = local.state.root / "secrets"
    names = (
        *("store-access-key", "store-secret-key", "glue-access-key", "glue-secret-key"),
        *("polaris-root-secret", "spark-connect-token"),
    )
    values = {name: f"the-{name}-of-it" for name in names}
    for name, value in values.items():
        (secrets / name).write_text(value)
    return values
