from lakehouse.runtimes.process import findings


def test_damaged_archives_are_named_with_what_repairs_them() -> None:
    found = findings.archives(["a.jsa has another content"])
    assert (found.severity, found.found) == ("error", "a.jsa has another content")
    assert found.fix == "`lakehouse setup --verify`"
    assert findings.archives([]).severity == "ok"
