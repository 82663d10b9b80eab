"""load: good files, and every bad file with its whole message."""

import os
from pathlib import Path

import pytest

from lakehouse.errors import UsageError
from lakehouse.spec import SpecError, load

ROOT = Path(__file__).parents[4]
BAD = Path(__file__).parent / "bad"
CASES = sorted(path.stem for path in BAD.glob("*.yaml"))
MINIMAL = """\
name: demo
buckets: {warehouse: }
catalogs: {lake: {location: s3://warehouse/lake}}
stacks: {local: {runtime: process, store: s3proxy, catalogs: {lake: nessie}}}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "lakehouse.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("case", CASES)
def test_bad_file_has_its_message(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    with pytest.raises(SpecError) as caught:
        load(Path(f"{case}.yaml"))
    assert str(caught.value) + "\n" == (BAD / f"{case}.txt").read_text()


def test_bad_files_are_all_there() -> None:
    assert len(CASES) >= 24
    assert {path.stem for path in BAD.glob("*.txt")} == set(CASES)


@pytest.mark.parametrize("case", CASES)
def test_no_jargon_of_the_validator_reaches_the_user(case: str) -> None:
    message = (BAD / f"{case}.txt").read_text().lower()
    jargon = ("pydantic", "input", "validation", "extra_", "none", "<local>", "[key]")
    assert not [word for word in jargon if word in message]


def test_wrong_file_is_a_usage_error() -> None:
    with pytest.raises(UsageError) as caught:
        load(BAD / "types.yaml")
    assert caught.value.exit_code == 2


def test_problems_come_sorted_by_line() -> None:
    with pytest.raises(SpecError) as caught:
        load(BAD / "many-at-once.yaml")
    lines = [line for line, _ in caught.value.problems]
    assert len(lines) >= 4
    assert lines == sorted(lines, key=lambda line: line or 0)


def test_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"lakehouse\.yaml: there is no such file\. `lakehouse init` writes one"):
        load(tmp_path / "lakehouse.yaml")


def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="this is a folder"):
        load(tmp_path)


def test_unreadable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path, MINIMAL)

    def refuse(path: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)  # root may read everything, so it is made up
    with pytest.raises(SpecError, match="the file cannot be read: Permission denied. Let this user read it"):
        load(file)


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "lakehouse.yaml")
    with pytest.raises(SpecError, match="this is a pipe or a device. Name a file"):
        load(tmp_path / "lakehouse.yaml")


@pytest.mark.parametrize("depth", [2_000, 200_000])
def test_too_deep_nesting_is_refused(tmp_path: Path, depth: int) -> None:
    with pytest.raises(SpecError, match=r"nested levels|not well formed"):
        load(written(tmp_path, "name: " + "[" * depth))


def test_aliases_that_explode_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(SpecError, match="an alias"):
        load(written(tmp_path, "\n".join(lines)))


def test_the_default_file() -> None:
    lakehouse = load(ROOT / "lakehouse.yaml")
    assert (ROOT / "lakehouse.yaml").read_text().startswith("# yaml-language-server: $schema=lakehouse.schema.json\n")
    assert lakehouse.catalogs["lake"].location == "s3://warehouse/lake"
    for namespace in ("bronze", "silver"):
        table = lakehouse.catalogs["lake"].namespaces[namespace].tables["minute_aggs"]
        assert table.partition_by == ["date"]
        assert table.sort_by == ["ticker", "window_start"]
        assert {name: column.type for name, column in table.columns.items()} == {
            "ticker": "string",
            "window_start": "timestamptz",
            **dict.fromkeys(("open", "high", "low", "close"), "double"),
            **dict.fromkeys(("volume", "transactions"), "long"),
            "date": "string",
        }
        assert [name for name, column in table.columns.items() if column.required] == ["ticker", "window_start", "date"]


def test_nothing_after_a_key_means_its_defaults(tmp_path: Path) -> None:
    more = "access:\nengines:\n  spark:\n"
    lakehouse = load(written(tmp_path, MINIMAL + more))
    assert lakehouse.buckets["warehouse"].versioning is False
    assert lakehouse.access.roles == {}
    assert lakehouse.engines.spark is not None
    assert lakehouse.engines.spark.workers == 2
    assert lakehouse.engines.trino is None


def test_numbers_in_place_of_text_keep_their_spelling(tmp_path: Path) -> None:
    properties = "{a: 4.10, b: 0x10, c: 1_000, d: true, e: 1e3, f: 007}"
    more = f"engines: {{spark: {{version: 4.0, properties: {properties}}}, trino: {{version: 476}}}}"
    engines = load(written(tmp_path, MINIMAL + more)).engines
    assert engines.spark is not None
    assert engines.spark.version == "4.0"
    assert engines.spark.properties == {"a": "4.10", "b": "0x10", "c": "1_000", "d": "true", "e": "1e3", "f": "007"}
    assert engines.trino is not None
    assert engines.trino.version == "476"


def test_byte_order_mark_is_no_matter(tmp_path: Path) -> None:
    assert load(written(tmp_path, "\ufeff" + MINIMAL)).name == "demo"


def test_anchors_and_merge_keys(tmp_path: Path) -> None:
    text = MINIMAL.replace(
        "{location: s3://warehouse/lake}",
        """
    location: s3://warehouse/lake
    namespaces:
      a:
        tables:
          one: &one
            columns: &columns {id: long, name: string}
            partition_by: [id]
          two:
            <<: *one
            partition_by: [name]
          three: {columns: *columns}
""",
    ).replace("catalogs: {lake: \n", "catalogs:\n  lake:\n", 1)
    tables = load(written(tmp_path, text.replace("\n}\n", "\n"))).catalogs["lake"].namespaces["a"].tables
    assert tables["two"].columns == tables["one"].columns == tables["three"].columns
    assert tables["two"].partition_by == ["name"]


@pytest.mark.parametrize("key", ["<aws>", "<local>", "[key]", ""])
def test_odd_keys_are_problems_like_others(tmp_path: Path, key: str) -> None:
    with pytest.raises(SpecError) as caught:
        load(written(tmp_path, MINIMAL + f'"{key}": 1\n'))
    ((line, problem),) = caught.value.problems
    assert line == 5
    assert problem.at == (key,)


def test_anchor_that_is_used_again_is_no_matter(tmp_path: Path) -> None:
    text = MINIMAL.replace("{warehouse: }", "{warehouse: &a {deletable: true}, x-1: &a {expire_days: 1}, x-2: *a}")
    assert load(written(tmp_path, text)).buckets["x-2"].expire_days == 1


def test_types_as_mappings(tmp_path: Path) -> None:
    lake = """{location: s3://warehouse/lake, namespaces: {n: {tables: {t: {columns: {x: {type: {struct: {
      a: {type: int, required: true},
      b: {list: {map: {key: string, value: {type: long, required: true}}}}}}}}}}}}}"""
    text = MINIMAL.replace("{location: s3://warehouse/lake}", lake)
    table = load(written(tmp_path, text)).catalogs["lake"].namespaces["n"].tables["t"]
    assert table.columns["x"].type == "struct<a: required int, b: list<map<string, required long>>>"
