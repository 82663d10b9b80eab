"""ARNs in policies, in which ``*``, ``?`` and ``${`` have a special meaning.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-specialchars
"""

from __future__ import annotations

_SPECIAL = str.maketrans({"*": "${*}", "?": "${?}", "$": "${$}"})


def literal(text: str) -> str:
    """The text escaped for a policy, so that it matches only itself."""
    return text.translate(_SPECIAL)
