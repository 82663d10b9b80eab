"""A plan as Markdown, for the comment on a pull request."""

from __future__ import annotations

import re
from collections import Counter

from bootstrap.pipeline.looked import Looked

_MOST = 60_000  # characters: GitHub takes 65,536 in a comment
_WORDS = {"create": "create", "update": "change", "replace": "replace", "delete": "destroy"}


# An account of AWS: it is in names and ARNs, and everybody reads the comments of a public repository.
_ACCOUNT = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")


def summary(looked: Looked) -> str:
    """What would be done to the stack and its contents, and the digest that an approval is for.

    Without numbers of AWS accounts.
    """
    counts = Counter(action for _, action in looked.infrastructure)
    actions = ", ".join(f"{count} to {_WORDS.get(action, action)}" for action, count in sorted(counts.items()))
    if looked.contents is None:
        contents = "checked once the stack is up"
    else:
        contents = f"{looked.changes} changes" if looked.changes else "no changes"
    rows = _public("\n".join(f"| `{address}` | {action} |" for address, action in looked.infrastructure))
    said = _public(looked.text)
    head = f"### `{looked.stack}`: {'changes' if looked.anything else 'no changes'}\n\n"
    head += f"- Infrastructure: {actions or 'no changes'}\n- Contents: {contents}\n- Digest: `{looked.digest[:16]}`\n"
    table = f"\n| resource | |\n|---|---|\n{rows}\n" if rows else ""
    if len(head) + len(table) > _MOST:
        table = f"\n{len(looked.infrastructure)} resources; the log of the run names them.\n"
    room = _MOST - len(head) - len(table)
    text = said if len(said) <= room else said[:room].rpartition("\n")[0] + "\n(cut)"
    fence = "`" * max(3, _longest(text) + 1)
    return f"{head}{table}\n<details><summary>Plan</summary>\n\n{fence}text\n{text}\n{fence}\n</details>\n"


def _public(text: str) -> str:
    return _ACCOUNT.sub("(account)", text)


def _longest(text: str) -> int:
    """The longest run of backticks, which would end the block that holds it."""
    longest = run = 0
    for character in text:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    return longest
