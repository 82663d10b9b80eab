from lakehouse.runtimes import archiving


def test_damaged_archives_are_named_with_what_repairs_them() -> None:
    found = archiving.finding(["a.jsa has another content"])
    assert (found.severity, found.found) == ("error", "a.jsa has another content")
    assert found.fix == "`lakehouse setup --verify`"
    assert archiving.finding([]).severity == "ok"


def test_archives_that_could_not_be_made_are_reported_with_their_log() -> None:
    found = archiving.finding([], failed=True)
    assert found.severity == "warning"
    assert "lakehouse logs class-archives" in found.cause
    assert archiving.finding(["a.jsa has another content"], failed=True).severity == "error"
