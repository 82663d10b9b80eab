"""Catalogs: whether they answer as expected, and what is in them. Only decisions."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from bootstrap.doctor import logs
from bootstrap.doctor.store import Answer
from bootstrap.remote.errors import RemoteError, UnknownState, Unreachable
from lakehouse.runtimes.findings import Finding, error, ok, warning
from lakehouse.spec.claims import Register

# https://docs.aws.amazon.com/glue/latest/webapi/CommonErrors.html
_WITHOUT_RIGHT = re.compile(r"\((AccessDenied\w*|NotAuthorized|OptInRequired)\)")
_NOT_ITS_KEYS = re.compile(
    r"\((UnrecognizedClientException|InvalidClientTokenId|InvalidAccessKeyId|IncompleteSignature\w*"
    r"|InvalidSignatureException|SignatureDoesNotMatch|MissingAuthenticationToken\w*|ExpiredToken\w*)\)"
)


def unproven(service: str, why: str) -> Finding:
    """The server gives the lakehouse no token."""
    return error(
        why,
        f"the credentials in `secrets` of the state folder are not the first ones, which {service} keeps",
        f"put the former files back, or set them on the server by its API; then `lakehouse restart {service}`",
    )


def answers(name: str, service: str, uri: str, config: Answer, stack: str, *, creates: bool = False) -> Finding:
    """The Iceberg REST configuration of the catalog's warehouse. ``creates``: its server creates catalogs."""
    if config.unresolved:
        return error(
            f"{uri}: the name does not resolve",
            "the name is known only inside Docker's network, or is misspelt",
            "`lakehouse endpoints` shows the address that this machine knows",
        )
    if config.reason:
        return error(
            f"{uri} does not answer: {config.reason}",
            f"{service} does not run, or hangs",
            f"`lakehouse logs {service}`, then `lakehouse restart {service}`",
        )
    content = _json(config.body)
    if config.status == 200 and ("defaults" in content or "overrides" in content):
        return ok(f"{uri} answers")
    message = str((content.get("error") or {}).get("message") or "") if isinstance(content.get("error"), dict) else ""
    if config.status == 404 and message and creates:
        return error(f'{uri} has no catalog "{name}": {message}', "somebody dropped it", "`lakehouse apply` creates it")
    if message:
        return error(
            f'{uri} refuses the catalog "{name}": {message} (HTTP {config.status})',
            f"{service} was started for another catalog, or from an earlier file",
            "`lakehouse diff`, `lakehouse deploy`",
        )
    return error(
        f"{uri} answers, but not as a catalog does (HTTP {config.status})",
        f"another program listens where {service} should",
        "`lakehouse status`; stop that program, then `lakehouse deploy`",
    )


def signed(name: str, service: str, uri: str, listed: Answer, stack: str) -> Finding:
    """The list of namespaces of a catalog that the store serves, asked for by a signed request."""
    if listed.reason:
        return answers(name, service, uri, listed, stack)
    told = _json(listed.body)
    if listed.status == 200 and "namespaces" in told:
        return ok(f"{uri} answers")
    failure = told.get("error")
    message = str(failure.get("message") or "") if isinstance(failure, dict) else ""
    found = f"{uri}: {message or 'not the answer of a catalog'} (HTTP {listed.status})"
    if listed.status in (401, 403):
        return error(
            found,
            f"{service} takes other keys there than those in `secrets` of the state folder",
            f"`lakehouse restart {service}`; if that is not enough, `lakehouse secret rotate store` and "
            f"`lakehouse deploy`",
        )
    if listed.status == 404 and message:
        return error(found, "somebody deleted the table bucket", "`lakehouse apply` creates it")
    if "s3tables.metadata" in message:
        fix = "remove that bucket, or name another one in `location` of the catalog; then `lakehouse apply`"
        return error(found, f"the bucket of {name} is an ordinary one, not a table bucket", fix)
    return answers(name, service, uri, listed, stack)


def database(service: str, answer: Answer, log: Sequence[str], stack: str) -> Finding:
    """Whether the catalog's server can read its database, from its answer to a request that needs it.

    ``log`` is the end of the database's own log: a server may say only that its connection was closed.
    """
    if answer.status == 200:
        return ok(f"{service} reads its database")
    content = _json(answer.body).get("error")
    failure = content if isinstance(content, dict) else {}
    message = str(failure.get("message") or answer.reason or f"HTTP {answer.status}")
    lines = [*log, message, *map(str, failure.get("stack") or ())]
    found = f"{service} cannot read its database: {message}"
    # The last line is the first cause.
    if (why := logs.reason(lines, service, stack)) is not None:
        return error(found, f"{why.cause}. It says: {why.line}", why.fix)
    return error(found, f"its log says more: `lakehouse logs {service}`", f"`lakehouse restart {service}`")


def of_account(name: str, where: str, failure: RemoteError | None, stack: str) -> Finding:
    """Whether a catalog that AWS runs lists its databases, and if not, why. ``where`` is its address or region."""
    if failure is None:
        return ok(f"{where} lists its databases")
    text, place = str(failure), f"stacks.{stack}.catalogs.{name}"
    if isinstance(failure, Unreachable | UnknownState):
        return error(
            f"{where} does not answer: {text}",
            "this machine has no way there, or the address or the region in the file is wrong",
            f"correct `endpoint` or `region` of {place}, then `lakehouse deploy`; or see to the network",
        )
    if _WITHOUT_RIGHT.search(text):
        return error(
            f"{where} refuses the lakehouse: {text}",
            "the user of the keys may not do that",
            "allow the user what the message names (docs/catalogs.md lists what is needed)",
        )
    if _NOT_ITS_KEYS.search(text):
        return error(
            f"{where} refuses the keys: {text}",
            "the keys are wrong, were deleted, or are for another part of AWS",
            f"write the right ones to the file that `credentials` of stacks.{stack} names, or `lakehouse secret rotate "
            f"glue` in a shell that has them; then `lakehouse deploy`",
        )
    return error(f"{where} fails: {text}", "the message says it", f"`lakehouse plan`, once {where} answers")


def _json(body: str) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def locations(known: Register, count: int) -> Finding:
    """Whether tables share files: ``known`` are the folders of all tables, ``count`` is the number of tables."""
    for outer, inner in known.clashes():
        return error(
            f"{inner.owner} is in the folder of {outer.owner}: {inner.location} and {outer.location}",
            "somebody gave it that folder, or renamed or registered a table; removing orphan files from one deletes "
            "files of the other",
            f"before any clean-up, copy {inner.owner} to a table without `location` (CREATE TABLE ... AS SELECT); "
            "drop it",
        )
    return ok(f"{count} tables, none inside another")


def readable(broken: Mapping[str, Sequence[str]]) -> Finding:
    """Whether engines can load each table. ``broken`` lists the broken rules by table; most have none."""
    wrong = {table: reasons for table, reasons in broken.items() if reasons}
    if not wrong:
        return ok(f"{len(broken)} tables, which Iceberg's Java library loads")
    table, reasons = next(iter(wrong.items()))
    others = f" (so do {len(wrong) - 1} more: {', '.join(list(wrong)[1:4])})" if len(wrong) > 1 else ""
    return error(
        f"{table} breaks a rule of Iceberg{others}",
        reasons[0],
        f"change {table} in the file as the message says, then `lakehouse apply`; the rows stay",
    )


def contents(counts: Mapping[str, int], refused: int) -> Finding:
    """The bootstrap's plan: how much would be created, changed, destroyed; how much cannot be done."""
    changes = ", ".join(f"{count} to {op}" for op, count in counts.items() if count)
    if refused:
        return warning(
            f"the existing objects do not allow {refused} of the changes in the file",
            "the file asks for what Iceberg or the catalog does not allow",
            "`lakehouse plan` names each, with its line",
        )
    if changes:
        return warning(
            f"differs from the file: {changes}",
            "the file was edited after the last `lakehouse apply`, or somebody changed the contents",
            "`lakehouse plan` shows the changes, `lakehouse apply` makes them",
        )
    return ok("matches the file")


def seen_by_engine(engine: str, catalog: str, failure: str, stack: str) -> Finding:
    """What an engine answered when it was asked for the catalog's namespaces; empty if it succeeded."""
    if not failure:
        return ok(f"sees {catalog}")
    return error(
        f"{engine} cannot use {catalog}: {failure}",
        f"{engine} was started before the catalog or with another address for it, or cannot resolve its host",
        f"`lakehouse restart {engine}`; if that is not enough, `lakehouse diff` and `lakehouse deploy`",
    )


def read_by_engine(engine: str, table: str, failure: str, store: str, stack: str) -> Finding:
    """Whether an engine read a file of ``table``; ``failure`` is its message, empty if it did. ``store``: where it is.

    A catalog's server may answer although the engine cannot reach the store: then only reading fails.
    """
    if not failure:
        return ok(f"{engine} reads {table}" if table else "no table has rows yet")
    return error(
        f"{engine} cannot read {table}: {failure}",
        f"{engine} has another address or other keys for the store, or cannot resolve its host; it should use {store}",
        f"`lakehouse restart {engine}`; if that is not enough, `lakehouse diff` and `lakehouse deploy`",
    )
