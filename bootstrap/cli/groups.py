"""Groups of commands: a command that does not exist gets the name of a near one."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from lakehouse.text.words import suggest


class CommandGroup(TyperGroup):
    """A group that suggests only a command that is near: typer's own rule takes `undrop` for near to `nope`."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.suggest_commands = False

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        try:
            return super().resolve_command(ctx, args)
        except typer.TyperException as error:
            if args and args[0] not in self.commands:
                error.message += suggest(args[0], [name for name, each in self.commands.items() if not each.hidden])
            raise
