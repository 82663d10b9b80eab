"""Text with a special meaning in some language."""

from __future__ import annotations

import hypothesis.strategies as st

HOSTILE = (
    *('${file("/etc/hostname")}', "$${a}", "%{if true}", "%%{", "$", "%", "${", "#{TfToken[TOKEN.0]}"),
    *("${TfToken[TOKEN.0]}", "{{secret:store-secret-key}}", "{{file:/etc/passwd}}", "{", "}", "\\", "\\u0041", "\\n"),
    *("\n", "\r\n", "\t", "\f", " ", ";", " ; x", " # x", "#", "!", "=", ":", "'", '"', "`", "--", "/*", "*", "?"),
    *("[program:evil]\ncommand=touch /tmp/evil", "%(ENV_PATH)s", "$(id)", "`id`", "&", "<x>", "é", "𝄞", "\u2028"),
)
texts = st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=4)), max_size=6).map("".join)
# Text that a file's path may have. Text that cannot be written to a file (half a character) is refused earlier.
lines = st.lists(
    st.one_of(st.sampled_from(HOSTILE), st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=6
).map("".join)
