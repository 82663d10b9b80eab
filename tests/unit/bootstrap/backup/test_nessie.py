"""The commits that restore a catalog, on a double that follows Nessie's rules for the ids of contents."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.backup.manifest import CommitCopy
from bootstrap.backup.nessie import NessieState, after, steps


def entry(name: str, id_: str, at: str = "m") -> dict[str, Any]:
    content = {"type": "ICEBERG_TABLE", "id": id_, "metadataLocation": at}
    return {"name": {"elements": name.split(".")}, "type": "ICEBERG_TABLE", "content": content}


class Server:
    """One branch: a new name gets an id, and an id may only be given to what has or had it."""

    def __init__(self) -> None:
        self.contents: dict[str, dict[str, Any]] = {}
        self.made = 0

    def commit(self, operations: list[dict[str, Any]]) -> dict[str, str]:
        names = [".".join(each["key"]["elements"]) for each in operations]
        assert len(set(names)) == len(names), "one operation for each name"
        dropped = {self.contents.pop(n)["id"] for n, o in zip(names, operations, strict=True) if o["type"] == "DELETE"}
        added = {}
        for name, operation in zip(names, operations, strict=True):
            if operation["type"] == "PUT":
                content = dict(operation["content"])
                if name in self.contents:
                    assert content.get("id") == self.contents[name]["id"]
                elif "id" in content:
                    assert content["id"] in dropped, "what is moved is dropped in the same commit"
                else:
                    self.made += 1
                    added[name] = content["id"] = f"here{self.made}"
                self.contents[name] = content
        return added


def restored(commits: list[CommitCopy]) -> tuple[Server, list[NessieState]]:
    """Commits that follow each other."""
    server, states = Server(), [NessieState()]
    for commit in commits:
        given: dict[str, str] = {}
        for operations in steps(states[-1], commit):
            given |= server.commit(operations)
        states.append(after(states[-1], commit, given))
        assert states[-1].contents == server.contents
    return server, states


names = st.sampled_from(["n", "n.a", "n.b", "n.c"])
ids = st.sampled_from(["1", "2", "3"])
contents = st.dictionaries(names, st.tuples(ids, st.sampled_from(["m1", "m2"])), max_size=4).filter(
    lambda found: len({id_ for id_, _ in found.values()}) == len(found)
)


@settings(deadline=None)
@given(st.lists(contents, max_size=4))
def test_whatever_happened_between_the_contents_are_back_and_keep_their_identity(found: list[dict[str, Any]]) -> None:
    commits = [
        CommitCopy(number - 1 if number else None, [entry(name, id_, at) for name, (id_, at) in each.items()])
        for number, each in enumerate(found)
    ]
    _, states = restored(commits)
    for before, commit, state in zip(states[:-1], commits, states[1:], strict=True):
        for each in commit.entries:
            name = ".".join(each["name"]["elements"])
            here, was = state.contents[name], before.ids.get(each["content"]["id"])
            assert here["metadataLocation"] == each["content"]["metadataLocation"]
            if was is not None and before.contents.get(name, {"id": was})["id"] == was:  # the name was free, or its own
                assert here["id"] == was, "the same content as before"


def test_a_rename_is_one_commit_and_another_table_under_the_name_two() -> None:
    first = CommitCopy(None, [entry("n.a", "1")])
    _, (_, state) = restored([first])
    (moved,) = steps(state, CommitCopy(0, [entry("n.b", "1")]))
    assert [each["type"] for each in moved] == ["DELETE", "PUT"]
    dropped, made = steps(state, CommitCopy(0, [entry("n.a", "2")]))
    assert [each["type"] for each in (*dropped, *made)] == ["DELETE", "PUT"]
    assert steps(state, first) == []


def test_a_dot_in_a_part_of_a_name_stays_in_it() -> None:
    names = [["n"], ["n", "a.b"], ["n", "a"], ["n", "a", "b"]]
    commit = CommitCopy(None, [{**entry("x", str(id_)), "name": {"elements": each}} for id_, each in enumerate(names)])
    (made,) = steps(NessieState(), commit)
    assert sorted(each["key"]["elements"] for each in made) == sorted(names)
    ids = {"n": "0", "n.a\x1db": "1", "n.a": "2", "n.a.b": "3"}
    assert after(NessieState(), commit, ids).ids == {"0": "0", "1": "1", "2": "2", "3": "3"}
