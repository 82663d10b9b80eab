"""``lakehouse validate``: problems outside the file itself, and warnings about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from lakehouse.errors import UsageError
from lakehouse.kinds.needed import unplaced
from lakehouse.kinds.pipeline import password_of
from lakehouse.runtimes import credentials, generations
from lakehouse.runtimes.state import State, folder, lost_with
from lakehouse.spec import Lakehouse, LocalStack
from lakehouse.spec.problems import KeyPath, Problem, dotted
from lakehouse.spec.schedule import SHORTEST
from lakehouse.spec.values import on_loopback
from lakehouse.text.placeholders import Content, parts
from lakehouse.text.private import private, public, token
from lakehouse.text.profiles import Profile

_SHORTEST = 8  # characters of a secret that is no common word


def problems(lakehouse: Lakehouse, path: Path) -> Iterator[Problem]:
    """Problems of the files of secrets that the lakehouse's file, ``path``, names for its stacks and sources."""
    for name, stack, file in _credentials(lakehouse, path):
        try:
            credentials.read(file, credentials.known(unplaced(lakehouse, stack)))
        except UsageError as error:
            yield Problem(("stacks", name, "credentials"), str(error))
    for name, file, read in _contents(lakehouse, path):
        try:
            read(file, str(file))
        except UsageError as error:
            yield Problem(("stacks", name), str(error))
    for name, file in _of_lineage(lakehouse, path):
        try:
            token(file, str(file), "token")
        except UsageError as error:
            yield Problem(("stacks", name, "lineage", "token"), str(error))
    for at, file in _of_schedules(lakehouse, path):
        try:
            text = private(file, str(file), dotted(at[2:]))
        except UsageError as error:
            yield Problem(at, str(error))
        else:
            if at[-1] == "webhook" and not text.strip().startswith(("https://", "http://")):
                yield Problem(at, f"{file} has no address. Write that of the webhook into it, as in https://...")
            if at[-1] == "key" and len(text.strip().encode()) < SHORTEST:
                yield Problem(at, f"the passphrase in {file} is too short: it needs at least {SHORTEST} bytes")
    yield from _backups_in_the_state(lakehouse, path)
    for at, profile in _sources(lakehouse, path):
        try:
            credentials.fault(profile)
        except UsageError as error:
            yield Problem(at, str(error).removeprefix(f"{profile.at}: "))


def warnings(lakehouse: Lakehouse, path: Path) -> Iterator[Problem]:
    """Values in those files that differ from the ones in use, although their server keeps the first ones; and sources
    that engines cannot read, because they cannot have their keys, or do not reach their address.

    Raises UsageError if such a file has a problem.
    """
    for name, stack, file in _credentials(lakehouse, path):
        state = State(folder(path, name, stack.state))
        services = unplaced(lakehouse, stack)
        for each in (*generations.lasting(state, services, file), *_short(file, credentials.known(services))):
            yield Problem(("stacks", name, "credentials"), each)
    yield from _without_password(lakehouse, path)
    for at, to in _backups_in_own_buckets(lakehouse):
        rule = "is a place in a bucket of this lakehouse, with which a backup there would be lost"
        yield Problem(at, f"{to} {rule}. Name a bucket of another store, unless this is one of the same name")
    for at, profile in _sources(lakehouse, path):
        if (found := credentials.fault(profile)) is not None:
            yield Problem(at, credentials.unread(profile, found))
    if lakehouse.engines.spark is not None:
        yield from _unreachable(lakehouse)


def _without_password(lakehouse: Lakehouse, path: Path) -> Iterator[Problem]:
    """Pipelines of databases whose password nobody has set: services get one that is made up."""
    read = [name for name, each in lakehouse.pipelines.items() if each.source.changes or each.source.jdbc]
    for stack_name, stack in lakehouse.stacks.items():
        if not read or not isinstance(stack, LocalStack):
            continue
        file = None if stack.credentials is None else path.parent / stack.credentials
        given = {} if file is None else credentials.read(file, credentials.known(unplaced(lakehouse, stack)))
        for name in read:
            if (key := password_of(name)) not in given:
                message = f"stacks.{stack_name} has no password for its database. Write it into the file of"
                yield Problem(("pipelines", name), f"{message} stacks.{stack_name}.credentials, as `{key}: ...`")


def _short(file: Path, known: Mapping[str, credentials.Credential]) -> Iterator[str]:
    """Secrets that may be common words. Output hides a secret wherever it occurs: nothing tells it from the word."""
    chosen = credentials.read(file, known)
    for each in known.values():
        for key, secret in each.keys.items():
            if secret.shape != "name" and 0 < len(chosen.get(secret.secret, "")) < _SHORTEST:
                yield (
                    f"{key} in {file.name} has fewer than {_SHORTEST} characters. Output hides them wherever they "
                    "occur, so it is hard to read, and the secret easy to guess. Choose a longer one"
                )


def _unreachable(lakehouse: Lakehouse) -> Iterator[Problem]:
    docker = [
        name for name, each in lakehouse.stacks.items() if isinstance(each, LocalStack) and each.runtime == "docker"
    ]
    for bucket, source in lakehouse.sources.items():
        for name in docker if source.endpoint and on_loopback(source.endpoint) else ():
            rule = f"Spark in stacks.{name} runs in containers, and there it is the container itself"
            fix = "Name a host that containers and this machine both know"
            yield Problem(("sources", bucket, "endpoint"), f'"{source.endpoint}": {rule}. {fix}')


def _credentials(lakehouse: Lakehouse, path: Path) -> Iterator[tuple[str, LocalStack, Path]]:
    for name, stack in lakehouse.stacks.items():
        if isinstance(stack, LocalStack) and stack.credentials is not None:
            yield name, stack, path.parent / stack.credentials


def _contents(lakehouse: Lakehouse, path: Path) -> Iterator[tuple[str, Path, Callable[[Path, str], str]]]:
    """Files whose content services get, as those of alerts' addresses and of licences, and what reads each."""
    for name, stack in lakehouse.stacks.items():
        if isinstance(stack, LocalStack):
            texts = (file.text for service in unplaced(lakehouse, stack) for file in service.files)
            named = {part.file: part.public for text in texts for part in parts(text) if isinstance(part, Content)}
            yield from ((name, path.parent / each, public if named[each] else private) for each in sorted(named))


def _of_lineage(lakehouse: Lakehouse, path: Path) -> Iterator[tuple[str, Path]]:
    for name, stack in lakehouse.stacks.items():
        if isinstance(stack, LocalStack) and stack.lineage is not None and stack.lineage.token is not None:
            yield name, path.parent / Path(stack.lineage.token).expanduser()


def _of_schedules(lakehouse: Lakehouse, path: Path) -> Iterator[tuple[KeyPath, Path]]:
    """Files that a run of a schedule reads: found missing only by then, nobody is told that it failed."""
    for name, stack in lakehouse.stacks.items():
        schedule = stack.schedule if isinstance(stack, LocalStack) else None
        if schedule is None:
            continue
        at: KeyPath = ("stacks", name, "schedule")
        mail, backup = schedule.notify.mail, schedule.backup
        named: dict[KeyPath, str | None] = {
            (*at, "notify", "webhook"): schedule.notify.webhook,
            (*at, "notify", "mail", "password"): mail.password if mail else None,
            (*at, "backup", "key"): backup.key if backup else None,
        }
        yield from ((each, path.parent / file) for each, file in named.items() if file is not None)


def _backups_in_the_state(lakehouse: Lakehouse, path: Path) -> Iterator[Problem]:
    for name, stack in lakehouse.stacks.items():
        if not isinstance(stack, LocalStack) or stack.schedule is None or stack.schedule.backup is None:
            continue
        to = stack.schedule.backup.to
        if "://" not in to and (why := lost_with(folder(path, name, stack.state), path.parent / to)):
            yield Problem(("stacks", name, "schedule", "backup", "to"), why)


def _backups_in_own_buckets(lakehouse: Lakehouse) -> Iterator[tuple[KeyPath, str]]:
    for name, stack in lakehouse.stacks.items():
        if isinstance(stack, LocalStack) and stack.schedule is not None and stack.schedule.backup is not None:
            to = stack.schedule.backup.to
            if to.startswith("s3://") and to.removeprefix("s3://").partition("/")[0] in lakehouse.buckets:
                yield ("stacks", name, "schedule", "backup", "to"), to


def _sources(lakehouse: Lakehouse, path: Path) -> Iterator[tuple[KeyPath, Profile]]:
    for bucket, source in lakehouse.sources.items():
        if source.credentials is not None:
            at: KeyPath = ("sources", bucket, "credentials")
            file = path.parent / Path(source.credentials).expanduser()
            yield at, Profile(str(file), source.profile, dotted(at))
