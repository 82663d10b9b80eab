"""The checks of a stack in AWS: the credentials, then its parts. They only read."""

from __future__ import annotations

from functools import cached_property, partial

from bootstrap.doctor import checks
from bootstrap.doctor.surroundings import Surroundings
from bootstrap.session import aws, lake_formation
from bootstrap.session.aws_parts import FAILED, MISSING, UNKNOWN, AwsPart, AwsParts
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError
from lakehouse.runtimes.findings import Check, Finding, error, ok, warning

#: Check -> the kinds of parts that it looks at.
_KINDS = {
    "buckets": ("bucket", "table bucket"),
    "databases": ("Glue database",),
    "athena": ("Athena workgroup",),
    "spark": ("EMR application",),
    "instances": ("instances",),
}


def of_target(target: Target, around: Surroundings) -> list[Check]:
    """The checks, causes before consequences."""
    stack = _Stack(target)
    return [
        Check("file", lambda: ok(f"{target.path.name} is valid")),
        checks.terraform_check(around),
        Check("credentials", stack.credentials),
        Check("lake formation", stack.lake_formation, after=("credentials",)),
        *(Check(name, partial(stack.there, name), after=("credentials",)) for name in _KINDS),
    ]


class _Stack:
    """What several checks need is asked once."""

    def __init__(self, target: Target) -> None:
        self._target = target

    @cached_property
    def _account(self) -> AwsParts:
        return AwsParts.of(self._target)

    @cached_property
    def _parts(self) -> list[AwsPart]:
        return list(self._account.parts())

    def credentials(self) -> Finding:
        try:
            account = self._account
        except LakehouseError as problem:
            return error(
                str(problem),
                "each command of a stack in AWS asks AWS, with the credentials of your shell",
                "`aws sso login`, or set AWS_PROFILE; `aws sts get-caller-identity` shows whose they are",
            )
        whose = f", principal {account.principal}" if account.principal else ""
        return ok(f"account {account.own.account}, as {account.caller}{whose}")

    def lake_formation(self) -> Finding:
        own = self._account.own
        if self._account.options.store_has_tables:
            return ok("this stack has no Glue databases")
        with aws.plainly(f"stacks.{self._target.stack} is in AWS", "to look at Lake Formation", own.region):
            iam = lake_formation.only_iam(own.region, own.account)
        if iam is None:
            return ok("the account's setting is not shown to you")
        if iam:
            return ok("IAM decides about new databases")
        return warning(
            "Lake Formation decides about new databases of the account, and not IAM",
            f"an administrator has set it so: {lake_formation.NEEDS}",
            f"deploy as such a user. {lake_formation.DOES}",
        )

    def there(self, name: str) -> Finding:
        found = [each for each in self._parts if each.kind in _KINDS[name]]
        if not found:
            return ok("this stack has none")
        if gone := [each.name for each in found if each.state == MISSING]:
            return error(
                f"{', '.join(gone)}: not in the account",
                "the stack was not deployed, a deploy ended early, or somebody deleted it",
                "`lakehouse diff` shows what a deploy would make; `lakehouse deploy` makes it",
            )
        off = [f"{each.name} is {each.state}" for each in found if each.state == "DISABLED"]
        if off:
            return error(", ".join(off), "somebody turned it off", "turn it on in AWS's console, or `lakehouse deploy`")
        if failed := [f"{each.name}: {each.state}" for each in found if each.state.startswith(FAILED)]:
            return error(
                ", ".join(failed),
                "an instance did not become what the stack says, and those after it stay as they were",
                "State Manager in AWS's console has what was printed there. Run it there again, or wait a day",
            )
        if hidden := [each.name for each in found if each.state == UNKNOWN]:
            return warning(
                f"{len(hidden)} of {len(found)} are not shown to you: {', '.join(hidden)}",
                "your role has no permission to look at them, which a principal does not need",
                "look with the role that deploys, or ignore it",
            )
        return ok(f"{len(found)} there")
