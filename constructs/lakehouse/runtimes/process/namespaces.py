"""User namespaces for programs that refuse to run as root. If root deploys, each runs in one, as another user."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable

from lakehouse.services.service import Service

_TRIED = ("unshare", "--user", "--map-user=1", "--map-group=1", "--", "true")  # as the services' own scripts do
FIX = (
    "deploy as an ordinary user who owns this folder, or allow user namespaces "
    "(`sysctl user.max_user_namespaces=15000`; in a container, a security profile that permits unshare)"
)


def refusal(services: Iterable[Service]) -> str:
    """The services that this machine cannot start because the user is root, and why, as text; empty if it can."""
    named = [each.name for each in services if each.unprivileged]
    if not named or os.geteuid() != 0:
        return ""
    try:
        done = subprocess.run(_TRIED, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        why = str(error)
    else:
        if done.returncode == 0:
            return ""
        why = done.stderr.strip() or f"unshare ended with code {done.returncode}"
    return f"{', '.join(named)}: does not run as root, and this machine refuses a user namespace ({why})"
